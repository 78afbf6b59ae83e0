# SPDX-License-Identifier: Apache-2.0
"""The whole chain through the command line, as a user runs it: train → export → probe → generate → validate → report.

Every combination of gate site and pooling is trained for a few steps and ends on emulated cores without a mismatch;
those with averages instead of windows also have bands, held and shared gates, and targets by what is heard.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command import dyncp
from networks import BANDS
from signals import speech_like
from sounds import small_corpus

from dyncp.base.audio import pad_to_hop
from dyncp.export.formats.bundle import read_bundle
from dyncp.export.integers import reference

CONFIG = """
[network]
channels = 20
hidden = 36
stacks = 1
dilations = [1, 2]
gate = 5
pooling_frames = {frames}
gate_site = "{site}"
pooling = "{pooling}"
{more}
[mixing]
clip_s = 1.0
[training]
batch = 4
epochs = 2
steps_per_epoch = 30
learning_rate = 4e-3
utilization_weight = 20.0
{targets}
"""

# Work that follows the signal.
FOLLOWING = {
    "more": f"bands = {list(BANDS)}\ngate_period = 3\ngate_shared = 'stack'",
    "targets": "speech_utilization = 0.6\nrest_utilization = 0.1\naverage_decay = 0.9",
}


@pytest.mark.slow
@pytest.mark.parametrize("site", ["output", "hidden"])
def test_every_site_survives_to_the_cores(tmp_path: Path, site: str) -> None:
    to_the_cores(tmp_path, CONFIG.format(site=site, pooling="window", frames=12, more="", targets=""))


@pytest.mark.slow
@pytest.mark.parametrize(("site", "pooling", "frames"), [("output", "ema", 12), ("hidden", "gate", [3, 12])])
def test_a_network_whose_work_follows_the_signal_survives_too(
    tmp_path: Path, site: str, pooling: str, frames: int | list[int]
) -> None:
    to_the_cores(tmp_path, CONFIG.format(site=site, pooling=pooling, frames=frames, **FOLLOWING))


def to_the_cores(tmp_path: Path, experiment: str) -> None:
    """Train, export, probe, generate, validate, report."""
    corpus = small_corpus(tmp_path / "corpus")
    config, run, bundle = tmp_path / "tiny.toml", tmp_path / "run", tmp_path / "bundle"
    config.write_text(experiment)
    trained = json.loads(dyncp("train", config, "--corpus", corpus, "--out", run, "--workers", 0, "--json"))
    assert 0 < np.mean(trained["utilization"]) < 1
    exported = json.loads(dyncp("export", run, bundle, "--corpus", corpus, "--clips", 0, "--json"))
    assert exported == {"bundle": str(bundle), "hash": read_bundle(bundle).hash}
    fitted = json.loads(dyncp("probe", run, bundle, "--corpus", corpus, "--minutes", 1, "--json"))
    assert fitted["features"] > 0
    quality = tmp_path / "quality.json"
    dyncp("export", run, bundle, "--corpus", corpus, "--clips", 2, "--quality", quality)
    probes = read_bundle(bundle).probes
    assert probes is not None
    assert len(probes.channel) == fitted["features"]
    assert probes.weight.itemsize * 8 == fitted["bits"]
    noisy = speech_like(100, seed=9)
    soundfile.write(tmp_path / "noisy.wav", noisy, 16000, subtype="PCM_16")
    boards = ("--board", "cortex-m3", "--board", "cortex-m55")
    dyncp("validate", bundle, tmp_path / "noisy.wav", "--out", tmp_path / "proof", *boards)
    record = json.loads((tmp_path / "proof" / "validation.json").read_text())
    assert [target["mismatches"] for target in record["targets"]] == [record["host"]["mismatches"]] * 2
    assert set(record["host"]["mismatches"].values()) == {0}
    dyncp("report", bundle, tmp_path / "proof", "--out", tmp_path / "report", "--quality", quality)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["verdict"]["passed"]
    assert report["macs"]["per_frame"]["min"] < report["macs"]["per_frame"]["max"]
    enhance_equals_reference(bundle, tmp_path)


def enhance_equals_reference(bundle: Path, folder: Path) -> None:
    """`dyncp enhance` on audio of an odd length: as long as the input, aligned, the reference's samples and signals."""
    noisy = speech_like(80, seed=3)[:-77]
    soundfile.write(folder / "in.flac", noisy, 16000, subtype="PCM_16")
    dyncp("enhance", folder / "in.flac", folder / "out.wav", "--bundle", bundle)
    dyncp("enhance", folder / "in.flac", folder / "late.wav", "--bundle", bundle, "--keep-delay")
    model = read_bundle(bundle)
    expected = reference.run(model, pad_to_hop(noisy, extra_hops=1))
    output, _ = soundfile.read(folder / "out.wav", dtype="int16")
    late, _ = soundfile.read(folder / "late.wav", dtype="int16")
    assert (output == expected.output[256 : 256 + len(noisy)]).all()
    assert (late == expected.output[: len(noisy)]).all()
    rows = list(csv.DictReader((folder / "out.csv").open()))
    # A row for each hop of the input; the frame after the last one only brings the delayed output's end.
    assert len(rows) == expected.frames - 1 == 80
    assert [int(row["macs"]) for row in rows] == expected.macs[:80].tolist()
    assert [float(row["time_s"]) for row in rows[:3]] == [0.0, 0.016, 0.032]
    scores = [float(row["vad_score"]) * 2 ** model.probes.tasks[0].q for row in rows] if model.probes else []
    assert np.round(scores).astype(int) == pytest.approx(expected.signals[:80, 0], abs=1e-2)
    assert [int(row["vad"]) for row in rows] == (expected.signals[:80, 0] > 0).astype(int).tolist()
