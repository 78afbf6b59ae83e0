# SPDX-License-Identifier: Apache-2.0
"""The demo on Debian's voices: real speech, the shipped checkpoint, five cores, and what the README promises of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import correlate
from typer.testing import CliRunner

from dyncp.base.metrics import pesq_wb, si_sdr
from dyncp.cli import commands
from dyncp.export.formats.bundle import read_bundle
from dyncp.export.integers.signals import columns, value_column
from dyncp.export.transforms import frontend
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.streams.demo import noisy_speech

CORES = ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]
SECONDS = 10


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    result = CliRunner().invoke(
        commands, ["demo", "--out", str(out), "--seconds", str(SECONDS), "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    # All that its parts tell is a remark of the whole.
    assert json.loads(result.stdout) == json.loads((out / "report.json").read_text())
    assert "Bit-exact" in result.stderr
    return out


@pytest.mark.slow
def test_every_core_is_exact_on_real_speech(demo: Path) -> None:
    report = json.loads((demo / "report.json").read_text())
    assert [target["name"] for target in report["targets"]] == CORES
    assert [target["mismatches"] for target in report["targets"]] == [0] * 5
    assert {target["frames"] for target in report["targets"]} == {SECONDS * 16000 // 256}
    per_frame = report["macs"]["per_frame"]
    config = read_bundle(demo / "bundle").config
    assert (per_frame["none_active"], per_frame["all_active"]) == (config.least_macs, config.most_macs)
    assert config.least_macs < per_frame["min"] < per_frame["mean"] < per_frame["max"] <= config.most_macs
    # Of a gate that holds, a layer has the mean of its period: these frames may have one decision of each more or less.
    unsettled = config.groups * config.gate_macs / (SECONDS * 16000 // 256)
    layers = sum(layer["mean"] for layer in report["macs"]["by_layer"])
    assert layers == pytest.approx(per_frame["mean"], abs=unsettled)
    page = (demo / "report.html").read_text(encoding="utf-8")
    assert len(page) > 100_000
    assert "Clean reference" in page


@pytest.mark.slow
def test_quantization_costs_next_to_nothing(demo: Path) -> None:
    quality = json.loads((demo / "quality.json").read_text())
    assert quality["float"]["pesq"] - quality["int8"]["pesq"] <= 0.02
    # Gates of a one-pole average that decide for every second frame stand on the brink more often than a window's.
    assert quality["differing_mask_bits"] <= 0.02
    assert quality["int8"]["pesq"] > quality["noisy"]["pesq"] + 0.6
    assert quality["int8"]["stoi"] > quality["noisy"]["stoi"]
    assert quality["int8"]["estoi"] > quality["noisy"]["estoi"] + 0.05
    assert quality["int8"]["si_sdr"] > quality["noisy"]["si_sdr"] + 4


@pytest.mark.slow
def test_the_day_tells_cost_by_condition(demo: Path) -> None:
    """Of 2 minutes, counted on an emulated core; the report has the same."""
    day = json.loads((demo / "day.json").read_text())
    rows = {row["condition"]: row for row in day["rows"]}
    assert {"speech", "pause", "noise", "quiet", "silence", "day"} == rows.keys()
    assert rows["day"]["frames"] == 2 * 60 * 16000 // 256
    for row in rows.values():
        assert row["instructions"]["cortex-m4"]["mean"] > row["macs"]["mean"]
    for rest in ("noise", "quiet", "silence"):
        assert rows[rest]["macs"]["mean"] < 0.6 * rows["speech"]["macs"]["mean"]
    assert json.loads((demo / "report.json").read_text())["day"]["rows"] == day["rows"]


def sdr_gain(clean: NDArray[np.int16], noisy: NDArray[np.int16], enhanced: NDArray[np.int16]) -> float:
    return si_sdr(clean, enhanced) - si_sdr(clean, noisy)


def lag(clean: NDArray[np.int16], heard: NDArray[np.int16]) -> int:
    """Samples that `heard` is late by."""
    return int(np.argmax(correlate(heard.astype(float), clean.astype(float), method="fft"))) - (len(clean) - 1)


@pytest.mark.slow
def test_enhanced_speech_is_aligned_and_better(demo: Path) -> None:
    noisy, _ = soundfile.read(demo / "noisy.wav", dtype="int16")
    enhanced, _ = soundfile.read(demo / "enhanced.wav", dtype="int16")
    assert len(noisy) == len(enhanced) == SECONDS * 16000
    stream = noisy_speech(demo / "corpus", SECONDS)
    assert np.array_equal(stream.noisy, noisy)
    assert np.array_equal(stream.clean, soundfile.read(demo / "clean.wav", dtype="int16")[0])
    # Two turns, the first in babble, the second in pink noise.
    for segment, gain in zip(stream.speech, (0.2, 0.5), strict=True):
        part = segment.samples
        clean = stream.clean[part]
        assert pesq_wb(clean, enhanced[part]) > pesq_wb(clean, noisy[part]) + gain
        assert lag(clean, enhanced[part]) == 0
    babble, pink = (
        sdr_gain(stream.clean[turn.samples], noisy[turn.samples], enhanced[turn.samples]) for turn in stream.speech
    )
    # Slow gains and filters, which PESQ forgives, may cost SI-SDR what less noise gains; a shift would cost it all.
    assert pink > -1
    assert babble + pink > 2
    pause = np.square(enhanced[-12000:], dtype=np.float64).mean() / np.square(noisy[-12000:], dtype=np.float64).mean()
    assert 10 * np.log10(pause) < -15


@pytest.mark.slow
@pytest.mark.xfail(strict=True, reason="gates that follow voices are misled by babble (docs/recipe.md)")
def test_in_babble_enhancing_costs_no_more_than_a_decibel(demo: Path) -> None:
    noisy, enhanced = (soundfile.read(demo / name, dtype="int16")[0] for name in ("noisy.wav", "enhanced.wav"))
    stream = noisy_speech(demo / "corpus", SECONDS)
    part = stream.speech[0].samples
    assert sdr_gain(stream.clean[part], noisy[part], enhanced[part]) > -1


@pytest.mark.slow
def test_front_end_reconstructs_real_speech(demo: Path) -> None:
    for recording in load_corpus(demo / "corpus").speech:
        pcm, _ = soundfile.read(recording.path, dtype="int16")
        pcm = pcm[: len(pcm) // 256 * 256]
        spectrum = frontend.analysis(pcm.reshape(-1, 256))
        mask = np.full((len(pcm) // 256, 257), 32767)
        rebuilt = frontend.synthesis(spectrum, mask).reshape(-1)
        wanted, got = pcm[:-256].astype(float), rebuilt[256:].astype(float)
        assert 10 * np.log10(np.sum(wanted**2) / np.sum((wanted - got) ** 2)) >= 80


@pytest.mark.slow
def test_signals_are_live_and_the_same_everywhere(demo: Path) -> None:
    """Host CSV and validated report say the same of every frame; the truth is what was mixed."""
    rows = list(csv.DictReader((demo / "enhanced.csv").open()))
    truth = list(csv.DictReader((demo / "truth.csv").open()))
    probes = read_bundle(demo / "bundle").probes
    assert probes is not None
    assert list(rows[0]) == ["time_s", *columns(probes.tasks), "active", "macs"]
    signals = json.loads((demo / "report.json").read_text())["signals"]
    assert [trace["name"] for trace in signals["traces"]] == [task.name for task in probes.tasks]
    assert signals["macs"] == [int(row["macs"]) for row in rows]
    for task, trace in zip(probes.tasks, signals["traces"], strict=True):
        column = value_column(task)
        if task.kind == "multiclass":
            assert [task.classes[index] for index in trace["decisions"]] == [row[column] for row in rows]
        else:
            score = f"{task.name}_score" if task.kind == "binary" else column
            assert trace["values"] == pytest.approx([float(row[score]) for row in rows], rel=1e-4)
        assert trace["score"] is None or trace["score"]["frames"] > 100
    label = np.array([row["vad"] == "1" for row in truth])
    spoken = noisy_speech(demo / "corpus", SECONDS).speech_index() >= 0
    assert label[spoken].mean() > 0.8
    assert not label[~spoken].any()


@pytest.mark.slow
def test_signals_name_the_voice(demo: Path) -> None:
    traces = {trace["name"]: trace for trace in json.loads((demo / "report.json").read_text())["signals"]["traces"]}
    assert traces["vad"]["score"]["auc"] > 0.85
    assert traces["vad"]["score"]["accuracy"] > 0.75


@pytest.mark.slow
def test_the_signals_are_drawn(demo: Path) -> None:
    page = (demo / "report.html").read_text(encoding="utf-8")
    assert "Signals over time" in page
    assert "Against the truth" in page
    assert matplotlib.image.imread(demo / "signals.png")[:, :, :3].std() > 0.1
