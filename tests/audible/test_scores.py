# SPDX-License-Identifier: Apache-2.0
"""What cannot be scored is left out, counted and named, and nothing else is lost with it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from networks import SHAPES, trained_enough
from signals import HOP, Pcm, speech_like
from sounds import small_corpus
from typer.testing import CliRunner

from dyncp.base.audio import write_pcm
from dyncp.base.errors import NoSpeechError
from dyncp.base.metrics import pesq_wb, stoi
from dyncp.cli import commands
from dyncp.evaluation.quality.compare import compare
from dyncp.export.quantization.fold import fold_network
from dyncp.train.mixing.pairs import Pair

pytestmark = pytest.mark.slow


def noisy(clean: Pcm, seed: int = 0) -> Pcm:
    noise = np.random.default_rng(seed).normal(scale=800, size=len(clean))
    return np.clip(clean + noise, -32768, 32767).astype(np.int16)


def amid_silence(seconds: float) -> Pcm:
    """So much of a steady tone in two seconds."""
    samples = round(16_000 * seconds)
    tone = 5000 * np.sin(2 * np.pi * 500 * np.arange(samples) / 16_000)
    return np.pad(tone.astype(np.int16), (12_000, 20_000 - samples))


@pytest.mark.parametrize("extended", [False, True])
def test_stoi_scores_nothing_shorter_than_it_can(extended: bool) -> None:
    short, long = amid_silence(0.3), amid_silence(0.6)
    with pytest.raises(NoSpeechError, match=r"at least 0\.4 s of speech"):
        stoi(short, noisy(short), extended=extended)
    assert stoi(long, long, extended=extended) == pytest.approx(1)


def test_pesq_scores_nothing_shorter_than_it_can() -> None:
    short = amid_silence(0.05)
    with pytest.raises(NoSpeechError, match=r"at least 0\.25 s of speech"):
        pesq_wb(short, noisy(short))


def test_one_pair_without_speech_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    folded = fold_network(trained_enough(SHAPES[0]), "0" * 64)
    # As long as one window of DNSMOS, four times (tests/evaluation/test_comparison.py).
    clean = [speech_like(150, seed=seed) for seed in range(3)]
    good = [Pair(pcm, noisy(pcm, seed), 5.0, -26.0, f"voice {seed}") for seed, pcm in enumerate(clean)]
    silent = Pair(np.zeros(150 * HOP, np.int16), good[0].noisy, 5.0, -26.0, "nobody in hum")
    with caplog.at_level(logging.WARNING):
        found = compare(folded, None, [good[0], silent, *good[1:]])
    expected = compare(folded, None, good)
    # The metrics' last digit depends on where numpy's arrays lie in memory.
    for scores in ("noisy", "float_", "float_gain"):
        assert getattr(found, scores).model_dump() == pytest.approx(getattr(expected, scores).model_dump())
    assert (found.clips, found.frames, found.utilization) == (expected.clips, expected.frames, expected.utilization)
    assert [row.clips for row in found.by_snr] == [row.clips for row in expected.by_snr]
    assert "left out: 1 of 4 clips cannot be scored:\n  nobody in hum: the reference is silent" in caplog.text


NEWCOMERS = {
    "silent": np.zeros(128_000, np.int16),
    "tiny": speech_like(100)[3000:4600],
    "pausing": np.concatenate([speech_like(125), np.zeros(960_000, np.int16), speech_like(125, seed=1)]),
}


@pytest.mark.parametrize("kind", NEWCOMERS)
def test_evaluate_scores_every_clip_whatever_one_recording_is(tmp_path: Path, kind: str) -> None:
    corpus = small_corpus(tmp_path / "c", frames=500)
    write_pcm(corpus / "speech" / "new.wav", NEWCOMERS[kind])
    with (corpus / "speech.csv").open("a") as table:
        table.write("speech/new.wav,newcomer,CC0,test\n")
    arguments = ["evaluate", "small", "--corpus", str(corpus), "--clips", "6", "--json"]
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert json.loads(result.stdout)["clips"] == 6
