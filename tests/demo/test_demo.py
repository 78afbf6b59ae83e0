# SPDX-License-Identifier: Apache-2.0
"""The demo on Debian's voices: real speech, the shipped checkpoint, five cores, and what the README promises of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from dyncp.cli import commands
from dyncp.export import frontend
from dyncp.train.corpus import load_corpus
from dyncp.train.metrics import pesq_wb, si_sdr

CORES = ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]
SECONDS = 10


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    result = CliRunner().invoke(
        commands, ["demo", "--out", str(out), "--seconds", str(SECONDS)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return out


@pytest.mark.slow
def test_every_core_is_exact_on_real_speech(demo: Path) -> None:
    report = json.loads((demo / "report.json").read_text())
    assert [target["name"] for target in report["targets"]] == CORES
    assert [target["mismatches"] for target in report["targets"]] == [0] * 5
    assert {target["frames"] for target in report["targets"]} == {SECONDS * 16000 // 256}
    per_frame = report["macs"]["per_frame"]
    assert (per_frame["none_active"], per_frame["all_active"]) == (404_480, 699_392)
    assert per_frame["none_active"] < per_frame["min"] < per_frame["mean"] < per_frame["max"] < 699_392
    layers = sum(layer["mean"] for layer in report["macs"]["by_layer"])
    assert layers == pytest.approx(per_frame["mean"])
    assert (demo / "report.html").stat().st_size > 100_000


@pytest.mark.slow
def test_quantization_costs_next_to_nothing(demo: Path) -> None:
    quality = json.loads((demo / "quality.json").read_text())
    assert quality["float"]["pesq"] - quality["int8"]["pesq"] <= 0.02
    assert quality["differing_mask_bits"] <= 0.01
    assert quality["int8"]["pesq"] > quality["noisy"]["pesq"] + 0.3
    assert quality["int8"]["stoi"] > quality["noisy"]["stoi"]
    assert 0.2 < quality["utilization_int8"] < 0.3


@pytest.mark.slow
def test_enhanced_speech_is_aligned_and_better(demo: Path) -> None:
    noisy, _ = soundfile.read(demo / "noisy.wav", dtype="int16")
    enhanced, _ = soundfile.read(demo / "enhanced.wav", dtype="int16")
    assert len(noisy) == len(enhanced) == SECONDS * 16000
    # Each of the two turns begins with a second of noise alone. The first noise is babble, the second pink.
    half = SECONDS * 16000 // 2
    for turn, voice, gain_db in zip((0, half), load_corpus(demo / "corpus").split("test").speech, (1, 5), strict=True):
        spoken, _ = soundfile.read(voice.path, dtype="int16")
        part = slice(turn + 16000, turn + half - 16000)
        clean = spoken[: part.stop - part.start]
        assert si_sdr(clean, enhanced[part]) > si_sdr(clean, noisy[part]) + gain_db
        assert pesq_wb(clean, enhanced[part]) > pesq_wb(clean, noisy[part]) + 0.1
    pause = np.square(enhanced[-12000:], dtype=np.float64).mean() / np.square(noisy[-12000:], dtype=np.float64).mean()
    assert 10 * np.log10(pause) < -15


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
def test_signals_name_the_voice(demo: Path) -> None:
    rows = list(csv.DictReader((demo / "enhanced.csv").open()))
    assert list(rows[0]) == ["time_s", "vad_score", "vad", "active", "macs"]
    score = np.array([float(row["vad_score"]) for row in rows])
    speech = slice(round(1.5 * 62.5), round((SECONDS / 2 - 1.5) * 62.5))
    assert (score[speech] > 0).mean() > 0.8
