# SPDX-License-Identifier: Apache-2.0
"""Voice activity: labels on signals whose answer is known, and the probe that reads it from mask bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dyncp.export.probes import narrowest, quantize_probes
from dyncp.export.reference import probe_words
from dyncp.train.audio import to_pcm
from dyncp.train.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.config import Config, NetworkConfig
from dyncp.train.errors import CheckpointError, ProbeError, QuantizationError
from dyncp.train.network import Enhancer
from dyncp.train.probes import FloatProbes, fit_binary, informative, load_probes, save_probes, score_binary
from dyncp.train.targets import voice_activity
from dyncp.train.tasks import VOICE_ACTIVITY


def tone_in_silence(level_db: float) -> np.ndarray:
    """One second of silence (with a faint hiss), one of tone, one of silence."""
    rng = np.random.default_rng(0)
    signal = 1e-5 * rng.standard_normal(3 * 16000)
    signal[16000:32000] += 10 ** (level_db / 20) * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)
    return to_pcm(signal[: len(signal) // 256 * 256])


@pytest.mark.parametrize("level_db", [-6, -26, -46])
def test_labels_find_the_tone_at_any_level(level_db: float) -> None:
    labels = voice_activity(tone_in_silence(level_db))
    edges = np.flatnonzero(np.diff(labels.astype(int)))
    assert len(labels) == 187
    # Frames 62 to 125 overlap the tone; the average over five frames reaches two frames further on both sides.
    assert edges.tolist() == [59, 127]
    assert labels[95]


def test_silence_has_no_voice_and_a_short_gap_is_bridged() -> None:
    assert not voice_activity(np.zeros(256 * 50, np.int16)).any()
    pcm = tone_in_silence(-26)
    pcm[24000:24256] = 0
    assert voice_activity(pcm)[70:115].all()


def test_probe_recovers_a_planted_rule(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    bits = rng.random((4000, 40)) < 0.4
    bits[:, 3] = True
    bits[:, 4] = rng.random(4000) < 1e-5
    positions = np.arange(0, 80, 2).astype(np.int32)
    labels = bits[:, 10] & ~bits[:, 20] | (rng.random(4000) < 0.02)
    assert not informative(bits)[3]
    probes = fit_binary(bits[:3000], labels[:3000], positions, VOICE_ACTIVITY)
    assert 6 not in probes.channel
    assert 8 not in probes.channel
    assert (np.diff(probes.channel) > 0).all()
    words = probes.scores(bits[3000:], positions)[:, 0]
    scores = score_binary(words, labels[3000:])
    assert scores.accuracy > 0.95
    assert scores.auc > 0.95
    config = Config(network=NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1,), gate=2))
    write_checkpoint(tmp_path, Enhancer(config.network), config, 0, [1.0], 0.0)
    assert load_probes(tmp_path) is None
    save_probes(tmp_path, probes, {"vad": vars(scores)}, "hash")
    load_checkpoint(tmp_path)
    loaded = load_probes(tmp_path)
    assert loaded is not None
    assert (loaded.scores(bits[3000:], positions)[:, 0] == words).all()
    (tmp_path / "probes.safetensors").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"probes\.safetensors"):
        load_checkpoint(tmp_path)


def test_constant_labels_are_refused() -> None:
    bits = np.random.default_rng(0).random((100, 4)) < 0.5
    with pytest.raises(ProbeError, match="never change"):
        fit_binary(bits, np.ones(100, bool), np.arange(4, dtype=np.int32), VOICE_ACTIVITY)


CONFIG = NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1, 2), gate=2)
CHANNELS = np.r_[0:8, 32:40].astype(np.int32)


def planted(weights: np.ndarray, frames: int = 2000) -> tuple[FloatProbes, np.ndarray, np.ndarray]:
    """Probes with these weights on 16 channels, random masks [T, 2, 8], and the labels that the float words give."""
    active = np.random.default_rng(5).random((frames, 2, 8)) < 0.5
    probes = FloatProbes(weights[:, None], np.array([-weights.sum() / 2]), CHANNELS, [VOICE_ACTIVITY])
    return probes, active, probes.scores(active.reshape(frames, -1), CHANNELS)[:, 0] > 0


def test_integer_words_follow_the_float_words() -> None:
    probes, active, _ = planted(np.linspace(-1, 1.3, 16))
    for bits, q in ((8, 6), (16, 8)):
        integers = quantize_probes(probes, bits)
        assert integers.tasks[0].q == q
        assert integers.weight.dtype == np.dtype(f"int{bits}")
        words = probe_words(integers, CONFIG, active)[:, 0] / 2**q
        wanted = probes.scores(active.reshape(len(active), -1), CHANNELS)[:, 0]
        # Each of 16 weights and the bias is off by half a unit at most.
        assert np.abs(words - wanted).max() <= 17 / 2 / 2**q


def test_int8_is_taken_only_where_it_costs_nothing() -> None:
    even, active, labels = planted(np.linspace(-1, 1.3, 16))
    assert narrowest(even, CONFIG, active, labels).bits == 8
    # One weight that takes the whole range leaves nothing of the others in 8 bits.
    active[:, 0, 0] = True
    steep = replace(even, weight=np.r_[[[100.0]], even.weight[1:] / 4], bias=even.bias / 4 - 100 + even.weight[0] / 4)
    labels = steep.scores(active.reshape(len(active), -1), CHANNELS)[:, 0] > 0
    assert 0.2 < labels.mean() < 0.8
    assert narrowest(steep, CONFIG, active, labels).bits == 16


@pytest.mark.parametrize("weight", [np.nan, np.inf, 1e6])
def test_weights_that_do_not_fit_are_refused(weight: float) -> None:
    probes, _, _ = planted(np.linspace(-1, 1, 16))
    probes.weight[3] = weight
    with pytest.raises(QuantizationError, match="probe vad"):
        quantize_probes(probes, 16)
