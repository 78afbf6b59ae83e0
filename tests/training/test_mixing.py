# SPDX-License-Identifier: Apache-2.0
"""Mixing: shares of a batch are the batch, speed moves frequencies, equalization stays within its depth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dyncp.base.config.framing import HOP
from dyncp.base.config.mixing import MixingConfig
from dyncp.train.mixing.clips import Mixer

PLAIN = MixingConfig(clip_s=2.0, noise_only=0, second_noise=0, eq_db=0, speed=0)


def mixer(config: MixingConfig, speech_s: float = 5.0, noise_s: float = 5.0) -> Mixer:
    """Speech is a tone of 1 kHz, noise is white."""
    tone = 3000 * np.sin(2 * np.pi * 1000 * np.arange(int(16000 * speech_s)) / 16000)
    noise = 1000 * np.random.default_rng(1).standard_normal(int(16000 * noise_s))
    return Mixer([tone.astype(np.int16)], [noise.astype(np.int16)], config)


def test_shares_of_a_batch_make_up_the_batch() -> None:
    source = mixer(MixingConfig(clip_s=0.5))
    whole = source.batch(4, (3, 7))
    halves = [source.batch(range(first, first + 2), (3, 7)) for first in (0, 2)]
    for name in ("noisy", "clean", "level"):
        assert torch.equal(torch.cat([getattr(half, name) for half in halves]), getattr(whole, name))
    assert not torch.equal(whole.clean[0], whole.clean[1])


def test_speed_moves_a_tone_within_its_range() -> None:
    source = mixer(PLAIN.model_copy(update={"speed": 0.1}))
    peaks = []
    for seed in range(40):
        clean = source.clip(np.random.default_rng(seed)).clean
        assert len(clean) == source.samples
        peaks.append(np.abs(np.fft.rfft(clean)).argmax() * 16000 / len(clean))
    assert 890 < min(peaks) < 930
    assert 1070 < max(peaks) < 1110


def test_equalization_changes_no_frequency_by_more_than_its_depth() -> None:
    depth = 6.0 * (1 + 1 / 2 + 1 / 3)
    source = mixer(PLAIN.model_copy(update={"eq_db": 6.0}))
    signal = source.noise[0][: source.samples].astype(np.float32)
    before = np.abs(np.fft.rfft(signal))
    swings = []
    for seed in range(20):
        after = np.abs(np.fft.rfft(source._vary(signal, np.random.default_rng(seed))))
        change_db = 20 * np.log10(after[1:-1] / before[1:-1])
        assert np.abs(change_db).max() < depth + 0.1
        assert np.abs(np.diff(change_db)).max() < 0.1
        swings.append(np.ptp(change_db))
    assert max(swings) > 6


@pytest.mark.parametrize("noise_s", [0.3, 1.9])
def test_noise_shorter_than_the_clip_repeats(noise_s: float) -> None:
    source = mixer(PLAIN, noise_s=noise_s)
    clip = source.clip(np.random.default_rng(0))
    noise, period = clip.noisy - clip.clean, int(16000 * noise_s)
    np.testing.assert_allclose(noise[period:], noise[:-period], atol=1e-6)
    assert len(noise) % HOP == 0


def test_a_short_utterance_lies_in_silence() -> None:
    clean = mixer(PLAIN, speech_s=0.5).clip(np.random.default_rng(0)).clean
    active = np.flatnonzero(clean)
    assert active[-1] - active[0] < 8000
    assert len(active) > 6000
