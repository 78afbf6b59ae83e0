# SPDX-License-Identifier: Apache-2.0
"""SI-SDR and PESQ per frame, on signals whose quality is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from constructed import hiss
from hypothesis import given
from hypothesis import strategies as st
from signals import HOP, speech_like

from dyncp.base.metrics import pesq_wb
from dyncp.train.pieces import Work
from dyncp.train.targets.quality import PESQ_SILENCE, frame_quality, upsample

HERE = Work(n_jobs=1, progress=False)
FRAMES = 625
SPEECH = np.ones(FRAMES, bool)


def sine(frames: int = FRAMES, amplitude: float = 8000.0, hertz: float = 440.0) -> np.ndarray:
    n = np.arange(frames * HOP)
    return np.round(amplitude * np.sin(2 * np.pi * hertz * n / 16000)).astype(np.int16)


@given(value=st.floats(-100, 100), step=st.integers(1000, 12000), overlap=st.integers(2, 6))
def test_upsampling_reproduces_a_constant(value: float, step: int, overlap: int) -> None:
    window = overlap * step
    starts = np.arange(-window + step, FRAMES * HOP, step)
    frames = upsample(np.full(len(starts), value), starts, window, FRAMES)
    assert np.allclose(frames, value, rtol=1e-6)


def test_upsampling_weighs_by_a_squared_hann_window_and_ignores_nan() -> None:
    # Frame 31 is centred at 7936 of both windows' 16000 samples from 0 and from 4000.
    weights = [np.sin(np.pi * position / 16000) ** 4 for position in (7936, 7936 - 4000)]
    both = upsample([1.0, 5.0], [0, 4000], 16000, 80)
    assert both[31] == pytest.approx((weights[0] + 5 * weights[1]) / sum(weights))
    assert both[10] == 1.0
    assert both[70] == 5.0
    alone = upsample([np.nan, 5.0], [0, 4000], 16000, 80)
    assert np.flatnonzero(np.isnan(alone)).tolist() == [*range(16), 79]
    assert (alone[16:79] == 5.0).all()


@pytest.mark.parametrize("ratio_db", [-10.0, 0.0, 15.0])
def test_si_sdr_of_a_known_mixture(ratio_db: float) -> None:
    # Two tones that are orthogonal in every window of one second.
    wanted, other = sine(amplitude=4000), sine(amplitude=4000 * 10 ** (-ratio_db / 20), hertz=1000)
    values = frame_quality("si_sdr", wanted, wanted + other, SPEECH, HERE)
    assert np.abs(values[40:-40] - ratio_db).max() < 0.05
    louder = frame_quality("si_sdr", wanted, (wanted + other) // 2, SPEECH, HERE)
    assert np.abs(louder[40:-40] - ratio_db).max() < 0.05


def test_si_sdr_follows_a_change_within_a_window() -> None:
    wanted, other = sine(amplitude=4000), sine(amplitude=4000, hertz=1000)
    other[: len(other) // 2] //= 10
    values = frame_quality("si_sdr", wanted, wanted + other, SPEECH, HERE)
    middle = FRAMES // 2
    assert values[40 : middle - 63] == pytest.approx(20, abs=0.1)
    assert values[middle + 63 : -40] == pytest.approx(0, abs=0.1)
    assert (np.diff(values[middle - 63 : middle + 63]) <= 1e-3).all()


def test_si_sdr_is_clamped_and_undefined_without_speech() -> None:
    wanted = sine()
    assert (frame_quality("si_sdr", wanted, wanted, SPEECH, HERE) == 40).all()
    assert (frame_quality("si_sdr", wanted, hiss(FRAMES, 3000), SPEECH, HERE) >= -30).all()
    assert (frame_quality("si_sdr", wanted, sine(hertz=1000), SPEECH, HERE)[40:-40] == -30).all()
    values = frame_quality("si_sdr", wanted, wanted, np.arange(FRAMES) < 200, HERE)
    assert not np.isnan(values[:200]).any()
    assert np.isnan(values[200 + 63 :]).all()
    assert np.isnan(frame_quality("si_sdr", wanted, wanted, ~SPEECH, HERE)).all()
    assert np.isnan(frame_quality("si_sdr", np.zeros_like(wanted), wanted, SPEECH, HERE)).all()


def test_pesq_of_the_clean_signal_is_the_best_and_falls_with_noise() -> None:
    frames = 190
    clean, speech = speech_like(frames), SPEECH[:frames]
    best = frame_quality("pesq", clean, clean, speech, HERE)
    assert best == pytest.approx(4.644, abs=1e-3)
    noisy = [frame_quality("pesq", clean, clean + hiss(frames, rms), speech, HERE) for rms in (20, 60, 200)]
    for better, worse in pairwise([best, *noisy]):
        assert (better > worse).all()


def test_a_pesq_window_is_heard_between_half_seconds_of_silence() -> None:
    """Speech that fills one window alone: it alone counts."""
    window = slice(36000, 36000 + 48000)
    clean = speech_like(FRAMES)
    noisy = clean + hiss(FRAMES, 60)
    # 0.256 s at either end: each neighbour, a step of 0.75 s away, has half of what a window needs.
    speech = np.zeros(FRAMES, bool)
    speech[-(-window.start // HOP) :][:8] = True
    speech[window.stop // HOP - 7 :][:8] = True
    values = frame_quality("pesq", clean, noisy, speech, HERE)
    wanted = pesq_wb(np.pad(clean[window], PESQ_SILENCE), np.pad(noisy[window], PESQ_SILENCE))
    heard = np.flatnonzero(~np.isnan(values))
    assert values[heard] == pytest.approx(wanted, abs=1e-5)
    assert heard[[0, -1]].tolist() == [window.start // HOP + 1, window.stop // HOP]


def test_pesq_is_undefined_in_long_silence() -> None:
    clean = speech_like(FRAMES)
    clean[190 * HOP :] = 0
    values = frame_quality("pesq", clean, clean + hiss(FRAMES, 100), np.arange(FRAMES) < 190, HERE)
    assert not np.isnan(values[:190]).any()
    assert np.isnan(values[190 + 188 :]).all()
    assert np.isnan(frame_quality("pesq", clean[: 190 * HOP], np.zeros(190 * HOP, np.int16), SPEECH[:190], HERE)).all()
