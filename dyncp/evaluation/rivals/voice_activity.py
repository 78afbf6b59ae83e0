# SPDX-License-Identifier: Apache-2.0
"""Voice activity as people detect it today: WebRTC's detector, Silero VAD, and a level above a tracked noise floor.

All are brought to our frames in the same way: at the end of frame t, sample 256 · (t + 1), a detector's answer is that
of its latest window that has ended. The packages come with the extra `benchmark`.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.train.targets.frames import window_rms

WEBRTC_MODES = (0, 1, 2, 3)
# 30 ms, the longest window that WebRTC's detector takes.
WEBRTC_WINDOW = 480
SILERO_WINDOW = 512
SILERO_CONTEXT = 64
SILERO_STATE = 128

FLOOR_DB = -100.0
# The noise floor follows a fall at once and a rise at this rate, so that speech hardly lifts it.
RISE_DB_PER_S = 3.0


def held(values: NDArray[np.floating], window: int, frames: int) -> NDArray[np.float64]:
    """What is known at the end of each of our frames of `values`, one per window of `window` samples: [frames].

    A window that ended between two of our frames' ends is that much stale. Before the first end: the first value.
    """
    ended = HOP * np.arange(1, frames + 1) // window - 1
    return values[np.clip(ended, 0, len(values) - 1)].astype(np.float64)


def webrtc(noisy: Pcm, mode: int) -> NDArray[np.float64]:
    """Decisions of WebRTC's detector as ±1, [T]; mode 0 says speech most easily, mode 3 least. Up to 28 ms stale."""
    import webrtcvad

    detector = webrtcvad.Vad(mode)
    whole = noisy[: len(noisy) // WEBRTC_WINDOW * WEBRTC_WINDOW].astype("<i2").reshape(-1, WEBRTC_WINDOW)
    speech = np.array([detector.is_speech(window.tobytes(), SAMPLE_RATE) for window in whole])
    return held(np.where(speech, 1.0, -1.0), WEBRTC_WINDOW, len(noisy) // HOP)


def silero(noisy: Pcm) -> NDArray[np.float64]:
    """Silero VAD's probability of speech, [T], from windows of 512 samples: 0 ms stale in odd frames, 16 ms in even."""
    from silero_vad.sequence_vad import SileroVADSequence

    with as_file(silero_graph()) as path:
        probability = SileroVADSequence(str(path)).audio_forward(noisy.astype(np.float32) / 32768)
    return held(probability, SILERO_WINDOW, len(noisy) // HOP)


def silero_graph() -> Traversable:
    """The ONNX graph for 16 kHz that the package ships; it runs many windows in one call, bit for bit as one by one."""
    return files("silero_vad") / "data" / "silero_vad_16k_sequence.onnx"


def above_floor_db(noisy: Pcm) -> NDArray[np.float64]:
    """Level of each frame's window above the noise floor tracked so far, dB [T].

    floor[t] = min(level[t], floor[t − 1] + rise): the least of all past levels, each lifted by the time since.
    """
    level_db = np.maximum(20 * np.log10(window_rms(noisy / 32768) + 1e-12), FLOOR_DB)
    lift = RISE_DB_PER_S * HOP / SAMPLE_RATE * np.arange(len(level_db))
    return np.asarray(level_db - (np.minimum.accumulate(level_db - lift) + lift))


def best_threshold(values: NDArray[np.floating], speech: NDArray[np.bool_]) -> float:
    """The threshold above which `values` [T] mean speech with the best balanced accuracy for `speech` [T]."""
    from sklearn.metrics import roc_curve

    false_alarms, hits, thresholds = roc_curve(speech, values)
    # scikit-learn's thresholds are the least values that still count as positive.
    return float(np.nextafter(thresholds[1:][np.argmax((hits - false_alarms)[1:])], -np.inf, dtype=np.float64))
