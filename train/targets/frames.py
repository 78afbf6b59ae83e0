# SPDX-License-Identifier: Apache-2.0
"""Frame-level ground truth: of frame t, what the 32 ms that end with it tell, at any framing's frames per second.

With the standard framing they are the frame that the STFT sees. T is the number of whole hops in a signal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import FFT, HOP, STANDARD, Framing

Signal = NDArray[np.floating]

# Times are in samples of 16 kHz. What a label is taken from: 32 ms, whatever a frame of the network is.
WINDOW = FFT
# Of the moving average, 80 ms: 5 frames of the standard hop.
SMOOTHING = 5 * HOP
# Below the level of the loud frames: speech spans some 30 dB, and recordings keep their noise 40 dB and more below.
THRESHOLD_DB = -32.0
LOUD_PERCENTILE = 95.0
# Frames below −75 dBFS are never speech, so that a silent recording has none.
FLOOR = 10 ** (-75 / 20)
SNR_RANGE_DB = (-50.0, 30.0)


def voice_activity(clean: Signal, framing: Framing = STANDARD) -> NDArray[np.bool_]:
    """Voice activity of clean speech in [−1, 1), bool [T] (arXiv 2602.10666, section 2.3).

    Window RMS → zero-phase moving average → threshold → the same average again → binarize.
    """
    # An odd number of frames, so that the average is centred.
    frames = 2 * (framing.samples(SMOOTHING) // framing.hop // 2) + 1
    rms = _moving_average(window_rms(clean, framing), frames)
    loud = np.percentile(rms, LOUD_PERCENTILE)
    active = rms > max(loud * 10 ** (THRESHOLD_DB / 20), FLOOR)
    return _moving_average(active.astype(np.float64), frames) > 0.5


def snr_db(speech: Signal, noise: Signal, framing: Framing = STANDARD) -> NDArray[np.float64]:
    """Ratio of the two RMS per frame, dB [T], clamped to [−50, 30] (arXiv 2602.10666, section 2.3)."""
    ratio = (window_rms(speech, framing) + 1e-9) / (window_rms(noise, framing) + 1e-9)
    return np.asarray(np.clip(20 * np.log10(ratio), *SNR_RANGE_DB))


def window_rms(signal: Signal, framing: Framing = STANDARD) -> NDArray[np.float64]:
    """RMS of the 32 ms that end with each frame, [T]; silence comes before the signal."""
    # Imported where it is used: librosa brings numba.
    from librosa.feature import rms

    hop, window = framing.hop, framing.samples(WINDOW)
    whole = signal[: len(signal) // hop * hop].astype(np.float64)
    padded = np.pad(whole, (window - hop, 0))
    return np.asarray(rms(y=padded, frame_length=window, hop_length=hop, center=False, dtype=np.float64)[0])


def _moving_average(values: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Centred over an odd number of frames, so without delay; edges repeat."""
    half = frames // 2
    kernel = np.full(frames, 1 / frames)
    return np.convolve(np.pad(values, half, mode="edge"), kernel, mode="valid")


# Speech begins before its label does and ends after it: 64 ms.
NEAR = 4 * HOP


def near_speech(clean: NDArray[np.float32], framing: Framing = STANDARD) -> NDArray[np.bool_]:
    """Which frames of clean speech in [−1, 1) lie within 64 ms of voice activity, bool [T]."""
    active, near = voice_activity(clean, framing), framing.samples(NEAR) // framing.hop
    around = np.convolve(active, np.ones(2 * near + 1))
    # Not `mode="same"`, which gives as many as the longer of the two.
    return around[near:][: len(active)] > 0.5
