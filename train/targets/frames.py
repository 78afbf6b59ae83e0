# SPDX-License-Identifier: Apache-2.0
"""Frame-level ground truth, at 62.5 frames per second, frame t covering the hops t − 1 and t like the STFT."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import FFT, HOP

Signal = NDArray[np.floating]

SMOOTHING_FRAMES = 5
# Below the level of the loud frames: speech spans some 30 dB, and recordings keep their noise 40 dB and more below.
THRESHOLD_DB = -32.0
LOUD_PERCENTILE = 95.0
# Frames below −75 dBFS are never speech, so that a silent recording has none.
FLOOR = 10 ** (-75 / 20)
SNR_RANGE_DB = (-50.0, 30.0)


def voice_activity(clean: Signal) -> NDArray[np.bool_]:
    """Voice activity of clean speech in [−1, 1), bool [T] (arXiv 2602.10666, section 2.3).

    Window RMS → zero-phase moving average → threshold → the same average again → binarize.
    """
    rms = _moving_average(window_rms(clean))
    loud = np.percentile(rms, LOUD_PERCENTILE)
    active = rms > max(loud * 10 ** (THRESHOLD_DB / 20), FLOOR)
    return _moving_average(active.astype(np.float64)) > 0.5


def snr_db(speech: Signal, noise: Signal) -> NDArray[np.float64]:
    """Ratio of the two RMS per frame, dB [T], clamped to [−50, 30] (arXiv 2602.10666, section 2.3)."""
    ratio = (window_rms(speech) + 1e-9) / (window_rms(noise) + 1e-9)
    return np.asarray(np.clip(20 * np.log10(ratio), *SNR_RANGE_DB))


def window_rms(signal: Signal) -> NDArray[np.float64]:
    """RMS of each frame's window of 512 samples, [T]; half a window of silence comes before the signal."""
    # Imported where it is used: librosa brings numba.
    from librosa.feature import rms

    padded = np.pad(signal.astype(np.float64), (HOP, 0))
    return np.asarray(rms(y=padded, frame_length=FFT, hop_length=HOP, center=False, dtype=np.float64)[0])


def _moving_average(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred, so without delay; edges repeat."""
    half = SMOOTHING_FRAMES // 2
    kernel = np.full(SMOOTHING_FRAMES, 1 / SMOOTHING_FRAMES)
    return np.convolve(np.pad(values, half, mode="edge"), kernel, mode="valid")


# Speech begins before its label does and ends after it.
NEAR_FRAMES = 4


def near_speech(clean: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which frames of clean speech in [−1, 1) lie within 4 frames of voice activity, bool [T]."""
    near = np.convolve(voice_activity(clean), np.ones(2 * NEAR_FRAMES + 1), mode="same")
    return near > 0.5
