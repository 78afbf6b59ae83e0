# SPDX-License-Identifier: Apache-2.0
"""Quality per frame: SI-SDR and PESQ of overlapping windows, brought to frame rate (arXiv 2602.10666, section 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE, STANDARD, Framing, samples_at
from dyncp.base.errors import AudioError
from dyncp.base.metrics import pesq, si_sdr
from dyncp.train.pieces import Piece, Work

# A window with less speech than this (0.256 s) has no quality; PESQ itself asks for about as much. In samples of
# 16 kHz, as are the other times here.
SPEECH = 16 * HOP
# Silence around each window that PESQ hears: its time alignment wants room.
PESQ_SILENCE = SAMPLE_RATE // 2
# What one job of the parallel computation, and one file of the cache, covers.
PIECE = 30 * SAMPLE_RATE


@dataclass(frozen=True)
class Measure:
    """A figure of merit of windows of `window` samples, one each `step` samples, clamped to `bounds`."""

    window: int
    step: int
    bounds: tuple[float, float]
    score: Callable[[Pcm, Pcm], float]
    version: int


def _padded_pesq(silence: int, rate: int, reference: Pcm, estimate: Pcm) -> float:
    return pesq(np.pad(reference, silence), np.pad(estimate, silence), rate)


MeasureName = Literal["si_sdr", "pesq"]


def _measure(name: MeasureName, rate: int) -> Measure:
    if name == "si_sdr":
        # A perfect estimate has no finite SI-SDR, and below −30 dB nothing of the reference is left.
        return Measure(rate, rate // 4, (-30.0, 40.0), si_sdr, 1)
    padded = partial(_padded_pesq, samples_at(rate, PESQ_SILENCE), rate)
    return Measure(3 * rate, 3 * rate // 4, (1.0, 4.65), padded, 1)


def frame_quality(
    name: MeasureName,
    reference: Pcm,
    estimate: Pcm,
    speech: NDArray[np.bool_],
    work: Work,
    framing: Framing = STANDARD,
) -> NDArray[np.float32]:
    """SI-SDR in dB or PESQ in MOS of `estimate` for each frame, [T]; NaN where no window around it has speech.

    PESQ is wide-band at 16 kHz and narrow-band at 8 kHz.

    reference, estimate: int16 [T · hop], aligned. speech: voice activity of the reference, bool [T].
    """
    measure, rate = _measure(name, framing.rate), framing.rate
    # Windows reach beyond both ends and are cut there, so that the first and last frames lie in as many as others.
    starts = np.arange(measure.step - measure.window, len(reference) - measure.step + 1, measure.step)
    starts = starts[_speech_frames(speech, starts, measure.window, framing) * framing.hop >= framing.samples(SPEECH)]
    # By their place in the stream, so that other speech elsewhere does not change what a piece holds.
    number = starts.clip(0) // framing.samples(PIECE)
    groups = np.split(starts, np.flatnonzero(np.diff(number)) + 1) if len(starts) else []
    pieces = [_piece(name, measure, reference, estimate, group, rate) for group in groups]
    scores = work.run(pieces, f"{name}, windows of {measure.window / rate:g} s")
    return upsample(np.concatenate([[], *scores]), starts, measure.window, len(speech), framing)


def upsample(
    values: Iterable[float], starts: Iterable[int], window: int, frames: int, framing: Framing = STANDARD
) -> NDArray[np.float32]:
    """Window values to frames by overlap-add with a squared Hann window, divided by the sum of the windows.

    Window k covers `window` samples from starts[k]; frame t is centred 16 ms before its end. A window whose value
    is NaN counts for nothing; a frame without a window is NaN.
    """
    total, weights = np.zeros(frames), np.zeros(frames)
    for value, start in zip(values, starts, strict=True):
        if np.isnan(value):
            continue
        first, last = (max(0, min(frames, int(_centred_from(edge, framing)))) for edge in (start, start + window))
        inside = slice(first, last)
        position = ((np.arange(frames)[inside] + 1) * framing.hop - framing.samples(HOP) - start) / window
        hann = np.sin(np.pi * position) ** 2
        total[inside] += hann**2 * value
        weights[inside] += hann**2
    total[weights == 0] = np.nan
    weights[weights == 0] = 1
    return (total / weights).astype(np.float32)


def _speech_frames(
    speech: NDArray[np.bool_], starts: NDArray[np.int_], window: int, framing: Framing
) -> NDArray[np.int_]:
    """How many frames with speech are centred inside each window."""
    counted = np.concatenate([[0], np.cumsum(speech)])
    first, last = (np.clip(_centred_from(edge, framing), 0, len(speech)) for edge in (starts, starts + window))
    return np.asarray(counted[last] - counted[first])


def _centred_from(sample: NDArray[np.int_] | int, framing: Framing) -> NDArray[np.int_]:
    """The first frame whose centre, that of the 32 ms that end with it, is not before a sample."""
    return np.asarray(-(-(sample + framing.samples(HOP)) // framing.hop) - 1)


def _piece(
    name: MeasureName, measure: Measure, reference: Pcm, estimate: Pcm, starts: NDArray[np.int_], rate: int
) -> Piece:
    """Only the stretch that these windows cover, so that the rest of the stream does not change the cache's key."""
    begin = max(0, int(starts[0]))
    stretch = slice(begin, int(starts[-1]) + measure.window)
    # The key of a piece in the cache is what it is called with: that of 16 kHz stays what it was.
    other = () if rate == SAMPLE_RATE else (rate,)
    return Piece(_score_windows, measure.version, (name, reference[stretch], estimate[stretch], starts - begin, *other))


def _score_windows(
    name: MeasureName, reference: Pcm, estimate: Pcm, starts: NDArray[np.int_], rate: int = SAMPLE_RATE
) -> NDArray[np.float32]:
    measure = _measure(name, rate)
    windows = [slice(max(0, start), start + measure.window) for start in starts]
    scores = [_score(measure, reference[window], estimate[window]) for window in windows]
    return np.clip(np.array(scores, np.float32), *measure.bounds)


def _score(measure: Measure, reference: Pcm, estimate: Pcm) -> float:
    try:
        return measure.score(reference, estimate)
    except AudioError:
        return float("nan")
