# SPDX-License-Identifier: Apache-2.0
"""SNR per frame as noise trackers estimate it, and as the enhancer's own suppression mask implies it.

All return dB [T], clamped like the labels (arXiv 2602.10666, section 2.3), from the magnitudes of the noisy STFT.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import BINS, FFT, HOP, SAMPLE_RATE

Spectrum = NDArray[np.floating]
Decibels = NDArray[np.float64]

SNR_RANGE_DB = (-50.0, 30.0)
# R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics", 2001:
# the minimum is taken over some 1.5 s, which outlasts a word.
SEARCH_FRAMES = round(1.5 * SAMPLE_RATE / HOP)
# More would hide the gaps between syllables, less lets single quiet frames through: 0.7 fitted training streams best.
SMOOTHING = 0.7


def minimum_statistics_db(log_magnitude: Spectrum) -> Decibels:
    """Minima of the smoothed periodogram in each bin over 1.5 s, made up for their bias; log10 |X| [T, 257].

    Martin's method with a fixed smoothing constant in place of his optimal one, from SciPy's blocks.
    """
    power = 10.0 ** (2 * log_magnitude.astype(np.float64))
    return _snr_db(power, _smoothed_minimum(power) * _smoothed_bias())


def spectral_floor_db(log_magnitude: Spectrum) -> Decibels:
    """The noise floor of pyroomacoustics' spectral subtraction: minima of the periodogram itself, made up for bias."""
    power = 10.0 ** (2 * log_magnitude.astype(np.float64))
    return _snr_db(power, _library_minimum(power) * _library_bias())


def suppression_db(suppression: Spectrum, log_magnitude: Spectrum) -> Decibels:
    """Energy that the enhancer's mask M lets through over what it takes away: |M·X|² and |(1 − M)·X|²."""
    power = 10.0 ** (2 * log_magnitude.astype(np.float64))
    passed = (suppression.astype(np.float64) ** 2 * power).sum(axis=1)
    removed = ((1 - suppression.astype(np.float64)) ** 2 * power).sum(axis=1)
    return _decibels(passed, removed)


def _snr_db(power: Spectrum, noise: Spectrum) -> Decibels:
    return _decibels(power.sum(axis=1) - noise.sum(axis=1), noise.sum(axis=1))


def _decibels(speech: NDArray[np.float64], noise: NDArray[np.float64]) -> Decibels:
    tiny = 1e-12
    ratio = 10 * np.log10(np.maximum(speech, tiny) / np.maximum(noise, tiny))
    return np.asarray(np.clip(ratio, *SNR_RANGE_DB))


def _smoothed_minimum(power: Spectrum) -> NDArray[np.float64]:
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import lfilter

    start = SMOOTHING * power[:1]
    smooth, _ = lfilter([1 - SMOOTHING], [1, -SMOOTHING], power, axis=0, zi=start)
    return np.asarray(minimum_filter1d(smooth, SEARCH_FRAMES, axis=0, origin=(SEARCH_FRAMES - 1) // 2))


def _library_minimum(power: Spectrum) -> NDArray[np.float64]:
    from pyroomacoustics.denoise import SpectralSub

    tracker = SpectralSub(FFT, db_reduc=0, lookback=SEARCH_FRAMES, beta=1)
    # Its history starts with silence, which would be the minimum for 1.5 s.
    tracker.p_prev[:] = power[0][:, None]
    minimum = np.empty(power.shape)
    for frame, magnitude in zip(minimum, np.sqrt(power), strict=True):
        tracker.compute_gain_filter(np.maximum(magnitude, 1e-12))
        frame[:] = tracker.p_n
    return minimum


@cache
def _smoothed_bias() -> float:
    power = _white_noise_power()
    return float(power.mean() / _smoothed_minimum(power)[SEARCH_FRAMES:].mean())


@cache
def _library_bias() -> float:
    power = _white_noise_power()
    return float(power.mean() / _library_minimum(power)[SEARCH_FRAMES:].mean())


def _white_noise_power() -> NDArray[np.float64]:
    """Periodogram of half a minute of white noise with the analysis window of the network: what sets the bias."""
    noise = np.random.default_rng(0).standard_normal(30 * SAMPLE_RATE // HOP * HOP)
    frames = np.lib.stride_tricks.sliding_window_view(noise, FFT)[::HOP]
    window = np.sin(np.pi * np.arange(FFT) / FFT)
    return np.asarray(np.abs(np.fft.rfft(frames * window)) ** 2)[:, :BINS]
