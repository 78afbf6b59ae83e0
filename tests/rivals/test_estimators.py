# SPDX-License-Identifier: Apache-2.0
"""SNR and pitch estimators of others on constructed signals whose answer is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dyncp.base.config.framing import FFT, HOP, SAMPLE_RATE
from dyncp.base.tasks import PITCH
from dyncp.evaluation.rivals.rivals import Cost, pitch_row
from dyncp.evaluation.rivals.snr import minimum_statistics_db, spectral_floor_db, suppression_db
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.observation import Observation
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.pitch import pitch_hz

SECONDS = 12
Estimator = Callable[[NDArray[np.floating]], NDArray[np.float64]]


def log_magnitude(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """log10 |X| with the network's window, frame t over the hops t − 1 and t."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal, (HOP, 0)), FFT)[::HOP]
    return np.log10(np.abs(np.fft.rfft(frames * np.sin(np.pi * np.arange(FFT) / FFT))) + 1e-9)


def bursts(snr_db: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Stationary white noise; a harmonic tone at `snr_db` for half a second of each one and a half. Frames inside."""
    time = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * 150 * k * time) for k in range(1, 8))
    on = time % 1.5 < 0.5
    tone *= 10 ** (snr_db / 20) / np.sqrt(np.mean(tone**2)) * on
    inside = on.reshape(-1, HOP).all(axis=1)
    inside &= np.roll(inside, 1)
    return tone + np.random.default_rng(5).standard_normal(len(time)), inside


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
@pytest.mark.parametrize("estimate", [minimum_statistics_db, spectral_floor_db])
def test_noise_trackers_find_the_snr_of_bursts_in_stationary_noise(estimate: Estimator, snr_db: float) -> None:
    signal, inside = bursts(snr_db)
    inside[: 2 * SAMPLE_RATE // HOP] = False
    found = estimate(log_magnitude(signal))
    assert np.median(found[inside]) == pytest.approx(snr_db, abs=2)
    assert np.median(found[~inside]) < snr_db - 5


@pytest.mark.parametrize("estimate", [minimum_statistics_db, spectral_floor_db])
def test_noise_trackers_stay_finite_in_silence(estimate: Estimator) -> None:
    found = estimate(np.full((200, 257), -np.inf))
    assert ((found >= -50) & (found <= 30)).all()


def test_noise_trackers_use_no_future() -> None:
    magnitudes = log_magnitude(bursts(10.0)[0])
    other = magnitudes.copy()
    other[400:] += 1
    assert (minimum_statistics_db(magnitudes)[:400] == minimum_statistics_db(other)[:400]).all()


def test_a_suppression_mask_is_an_energy_ratio() -> None:
    flat = np.zeros((3, 257))
    mask = np.array([0.5, 0.9, 0.0])[:, None] * np.ones((3, 257))
    assert suppression_db(mask, flat) == pytest.approx([0, 20 * np.log10(9), -50])
    # Only the bins with energy count.
    loud = np.where(np.arange(257) < 10, 0.0, -5.0) * np.ones((1, 257))
    assert suppression_db(np.where(np.arange(257) < 10, 0.9, 0.1)[None, :], loud) == pytest.approx(19.08, abs=0.01)


def test_dio_finds_the_pitch_of_a_harmonic_tone_in_noise() -> None:
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20))
    f0 = pitch_hz(0.1 * tone + 0.005 * np.random.default_rng(6).standard_normal(len(time)))
    assert len(f0) == 125
    assert np.nanmedian(np.abs(f0[10:-10] - 150)) < 1
    assert np.isfinite(f0[10:-10]).mean() > 0.9


def test_pitch_errors_are_counted_where_both_are_voiced() -> None:
    frames = 8
    silence = np.zeros(frames * HOP, np.int16)
    masks = np.zeros((frames, 1, 1), np.bool_)
    flat = np.zeros((frames, 257), np.float32)
    labels = {"vad": np.ones(frames, np.int16), "f0": np.array([100] * 4 + [200] * 2 + [np.nan] * 2, np.float32)}
    observation = Observation(masks, masks.astype(np.float32), flat, flat, silence)
    test = ProbeData(Stream(silence, silence, silence, (), ()), observation, labels, [PITCH])
    # Six frames are truly voiced: two missed, of the other four one is an octave up.
    f0 = np.array([101, 99, np.nan, 200, 202, np.nan, 120, np.nan])
    row = pitch_row("it", f0, test, PITCH, Cost(operations=None, source=""))
    assert row.missed == pytest.approx(2 / 6)
    assert row.gross == pytest.approx(1 / 4)
    assert row.score.mae == pytest.approx((1 + 1 + 100 + 2) / 4)
