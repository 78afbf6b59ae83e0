# SPDX-License-Identifier: Apache-2.0
"""A network of 8 kHz through the whole chain: trained on a corpus of 16 kHz, exact on host and core, on files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tomli_w
from command import dyncp
from framings import framed
from libraries import SMALL, library, written_bundle
from signals import speech_like
from sounds import small_corpus
from typer.testing import CliRunner

from dyncp.api.network import load
from dyncp.base.audio import pad_to_the_end, read_pcm, to_pcm, write_pcm
from dyncp.base.config.experiment import Config
from dyncp.base.config.framing import Framing
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import AudioError
from dyncp.base.sounds.rates import resampled
from dyncp.bench.assurance.framings import TELEPHONE
from dyncp.cli import commands
from dyncp.export.formats.bundle import Bundle, read_bundle
from dyncp.export.integers import reference
from dyncp.firmware.host.library import HostLibrary

RATE = 8000
WIDE = speech_like(90, seed=9)[:-77]
NARROW = to_pcm(resampled(WIDE / 32768, RATE))
EXPERIMENT = Config(
    network=framed(SMALL, TELEPHONE),
    mixing=MixingConfig(clip_s=1.0),
    training=TrainingConfig(
        batch=4,
        epochs=1,
        steps_per_epoch=40,
        learning_rate=4e-3,
        utilization_weight=20.0,
        perceptual_weight=0.05,
        intelligibility_weight=0.05,
    ),
)


def expected(bundle: Bundle, pcm: np.ndarray) -> np.ndarray:
    """Aligned with the input."""
    framing = bundle.config.framing
    return reference.run(bundle, pad_to_the_end(pcm, framing)).output[framing.delay :][: len(pcm)]


def test_files_and_arrays_at_both_rates(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle", framed(SMALL, TELEPHONE))
    write_pcm(tmp_path / "narrow.wav", NARROW, RATE)
    write_pcm(tmp_path / "wide.wav", WIDE)
    dyncp("enhance", tmp_path / "bundle", tmp_path / "narrow.wav", tmp_path / "out.wav")
    assert (read_pcm(tmp_path / "out.wav", RATE) == expected(bundle, NARROW)).all()
    wide = ("enhance", tmp_path / "bundle", tmp_path / "wide.wav", tmp_path / "converted.wav")
    result = CliRunner().invoke(commands, [str(a) for a in wide])
    assert isinstance(result.exception, AudioError)
    assert "--resample would convert its 16000 Hz to 8000 Hz" in str(result.exception)
    plot = tmp_path / "plot.png"
    told = json.loads(dyncp(*wide, "--resample", "--plot", plot, "--json"))
    assert told["files"][0]["seconds"] == pytest.approx(len(WIDE) / 16_000, abs=1e-3)
    assert np.abs(read_pcm(tmp_path / "converted.wav", RATE).astype(int) - expected(bundle, NARROW)).max() < 64
    assert plot.stat().st_size > 10_000
    network = load(tmp_path / "bundle")
    assert network.rate == RATE
    assert (network.enhance(NARROW).audio == expected(bundle, NARROW)).all()
    converted = network.enhance(WIDE / 32768, rate=16_000)
    assert (len(converted.audio), converted.rate) == (len(WIDE), 16_000)
    assert converted.times[:3].tolist() == [0, 0.01, 0.02]
    stream = network.stream(dtype=np.int16)
    pieces = [stream.push(part).audio for part in np.array_split(NARROW, 7)] + [stream.finish().audio]
    assert (np.concatenate(pieces) == expected(bundle, NARROW)).all()


def test_standard_sizes_at_8_khz_have_the_standard_transforms(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path, framed(SMALL, Framing(rate=RATE)))
    assert "synthesis_window" not in bundle.tensors
    assert not (folder / "dyncp_frames.h").exists()
    host = HostLibrary(folder, build_dir=tmp_path)
    noise = np.random.default_rng(1).integers(-32768, 32768, 20 * 256).astype(np.int16)
    assert (host.run(noise).output == reference.run(bundle, noise).output).all()


@pytest.mark.slow
def test_trained_exported_and_exact_on_a_core(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus")
    config, run, bundle = tmp_path / "narrow.toml", tmp_path / "run", tmp_path / "bundle"
    config.write_text(tomli_w.dumps(EXPERIMENT.model_dump(exclude_none=True)))
    dyncp("train", config, "--corpus", corpus, "--out", run, "--workers", 0)
    quality = tmp_path / "quality.json"
    table = dyncp("export", run, bundle, "--corpus", corpus, "--clips", 1, "--quality", quality)
    assert "PESQ-NB" in table
    assert "PESQ-WB" not in table
    fitted = json.loads(
        dyncp("probe", run, bundle, "--corpus", corpus, "--minutes", 0.5, "--signals", "vad,f0", "--json")
    )
    assert fitted["features"] > 0
    write_pcm(tmp_path / "noisy.wav", NARROW, RATE)
    dyncp("validate", bundle, tmp_path / "noisy.wav", "--out", tmp_path / "proof", "--board", "cortex-m55")
    assert soundfile.info(tmp_path / "proof" / "enhanced.wav").samplerate == RATE
    record = json.loads((tmp_path / "proof" / "validation.json").read_text())
    assert record["targets"][0]["mismatches"] == record["host"]["mismatches"]
    assert set(record["host"]["mismatches"].values()) == {0}
    dyncp("report", bundle, tmp_path / "proof", "--out", tmp_path / "report", "--quality", quality)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["verdict"]["passed"]
    audio = report["audio"]
    assert (audio["sample_rate"], audio["hop"], audio["delay_ms"], audio["latency_ms"]) == (RATE, 80, 10, 20)
    assert audio["seconds"] == pytest.approx(audio["frames"] / 100)
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "frames of 80 samples at 8 kHz" in page
    assert "PESQ-NB" in page
    assert read_bundle(bundle).config.sample_rate == RATE
