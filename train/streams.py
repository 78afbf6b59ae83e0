# SPDX-License-Identifier: Apache-2.0
"""One long continuous noisy signal per split (arXiv 2602.10666, section 2.1), with metadata at frame resolution."""

from __future__ import annotations

from dataclasses import dataclass

from dyncp.train.audio import Pcm
from dyncp.train.config import HOP
from dyncp.train.corpus import Recording


@dataclass(frozen=True)
class Segment:
    """A stretch of whole frames that one recording fills: its first hop in the stream, its length in hops."""

    recording: Recording
    start: int
    hops: int


@dataclass(frozen=True)
class Stream:
    """clean + noise = noisy, int16, of one length, a whole number of hops; frame t covers the hops t − 1 and t.

    `speech` does not cover pauses; `noises` covers everything.
    """

    clean: Pcm
    noise: Pcm
    noisy: Pcm
    speech: tuple[Segment, ...]
    noises: tuple[Segment, ...]

    @property
    def frames(self) -> int:
        return len(self.noisy) // HOP
