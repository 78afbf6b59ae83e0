# SPDX-License-Identifier: Apache-2.0
"""Pitch of clean speech: WORLD's DIO and StoneMask (arXiv 2602.10666, section 2.3)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.train.pieces import Piece, Work
from dyncp.train.streams.streams import Segment

VERSION = 1


# DIO on a quarter of the samples: thrice as fast, 0.4 Hz and 1.5 % of the voicing decisions away.
COARSE = 4


def pitch_hz(clean: NDArray[np.floating], decimation: int = 1) -> NDArray[np.float32]:
    """F0 of clean speech [T · 256] in [−1, 1) at the centre of each frame's window, Hz [T]; NaN where unvoiced.

    WORLD's own limits hold, 71 to 800 Hz. Its position i is sample 256 i, the centre of the window of frame i.
    """
    with warnings.catch_warnings():
        # pyworld asks for its own version through pkg_resources, which warns of its end.
        warnings.simplefilter("ignore")
        import pyworld

    samples = clean.astype(np.float64)
    rough, times = pyworld.dio(samples, SAMPLE_RATE, frame_period=1000 * HOP / SAMPLE_RATE, speed=decimation)
    f0 = pyworld.stonemask(samples, rough, times, SAMPLE_RATE)[: len(samples) // HOP]
    return np.where(f0 > 0, f0, np.nan).astype(np.float32)


def stream_pitch(clean: Pcm, segments: Iterable[Segment], frames: int, work: Work) -> NDArray[np.float32]:
    """F0 of a long stream, Hz [T]: each speech segment by itself; NaN where unvoiced and between the segments."""
    segments = list(segments)
    pieces = [Piece(_pcm_pitch, VERSION, (clean[segment.samples],)) for segment in segments]
    pitch = np.full(frames, np.nan, np.float32)
    for segment, found in zip(segments, work.run(pieces, "pitch, speech segments"), strict=True):
        pitch[segment.start : segment.start + segment.hops] = found
    return pitch


def _pcm_pitch(clean: Pcm) -> NDArray[np.float32]:
    return pitch_hz(clean / 32768)
