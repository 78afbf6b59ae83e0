# SPDX-License-Identifier: Apache-2.0
"""Pitch of clean speech: WORLD's DIO and StoneMask (arXiv 2602.10666, section 2.3)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import SAMPLE_RATE, STANDARD, Framing
from dyncp.train.pieces import Piece, Work
from dyncp.train.streams.streams import Segment
from dyncp.train.targets.frames import WINDOW

VERSION = 1


# DIO on a quarter of the samples of 16 kHz: thrice as fast, 0.4 Hz and 1.5 % of the voicing decisions away.
COARSE = 4


def pitch_hz(clean: NDArray[np.floating], decimation: int = 1, framing: Framing = STANDARD) -> NDArray[np.float32]:
    """F0 of clean speech [T · hop] in [−1, 1) at the centre of the 32 ms that end with each frame, Hz [T].

    NaN where unvoiced. WORLD's own limits hold, 71 to 800 Hz. Its position i is sample hop · i; the centre of frame t
    is 16 ms before sample hop · (t + 1), and where that lies between two positions, the earlier one is taken.
    """
    with warnings.catch_warnings():
        # pyworld asks for its own version through pkg_resources, which warns of its end.
        warnings.simplefilter("ignore")
        import pyworld

    samples = clean.astype(np.float64)
    rate, speed = framing.rate, max(1, framing.samples(decimation))
    rough, times = pyworld.dio(samples, rate, frame_period=1000 * framing.hop / rate, speed=speed)
    frames, late = len(samples) // framing.hop, (framing.samples(WINDOW) // 2 - 1) // framing.hop
    f0 = np.pad(pyworld.stonemask(samples, rough, times, rate), (late, 0))[:frames]
    return np.where(f0 > 0, f0, np.nan).astype(np.float32)


def stream_pitch(
    clean: Pcm, segments: Iterable[Segment], frames: int, work: Work, framing: Framing = STANDARD
) -> NDArray[np.float32]:
    """F0 of a long stream, Hz [T]: each speech segment by itself; NaN where unvoiced and between the segments."""
    places = [framing.within(segment.samples, frames) for segment in segments]
    heard = [clean[place.start * framing.hop : place.stop * framing.hop] for place in places]
    # The key of a piece in the cache is what it is called with: the standard framing's stays what it was.
    other = () if framing.rate == SAMPLE_RATE else (framing.rate,)
    own = () if framing == STANDARD else (framing.sizes, *other)
    pieces = [Piece(_pcm_pitch, VERSION, (samples, *own)) for samples in heard]
    pitch = np.full(frames, np.nan, np.float32)
    for place, found in zip(places, work.run(pieces, "pitch, speech segments"), strict=True):
        pitch[place] = found
    return pitch


def _pcm_pitch(
    clean: Pcm, sizes: tuple[int, int, int, int] = STANDARD.sizes, rate: int = SAMPLE_RATE
) -> NDArray[np.float32]:
    return pitch_hz(clean / 32768, framing=Framing(*sizes, rate))
