# SPDX-License-Identifier: Apache-2.0
"""Talk spurts and pauses of one party of an artificial conversation, filled with a speaker's recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import AudioError
from dyncp.train.corpora.audible import SPEECH
from dyncp.train.corpora.recordings import Recording
from dyncp.train.corpora.sources import examine
from dyncp.train.streams.streams import Segment
from dyncp.train.targets.frames import near_speech

# A spurt ends at the softest place this near to where it was drawn to end, so that few words are cut.
SOFT_HOPS = 16
# Against clicks where a spurt begins and ends: 8 ms.
FADE = HOP // 2


class Turns(StrictModel):
    """On-off pattern of one party (ITU-T P.59, table 1), in seconds; exponential above the shortest."""

    spurt_s: float = Field(1.004, gt=0, le=60, description="mean duration of a talk spurt")
    pause_s: float = Field(1.587, gt=0, le=60, description="mean duration of a pause, where the other talks")
    shortest_s: float = Field(0.2, ge=0, description="of both: shorter gaps belong to a spurt")

    @model_validator(mode="after")
    def _means_exceed_the_shortest(self) -> Turns:
        for name in ("spurt_s", "pause_s"):
            if getattr(self, name) <= self.shortest_s:
                raise ValueError(f"{name}: must exceed shortest_s, {self.shortest_s:g}")
        return self

    def draw(self, mean_s: float, rng: np.random.Generator) -> int:
        """One duration in hops, at least one."""
        seconds = self.shortest_s + rng.exponential(mean_s - self.shortest_s)
        return max(1, round(seconds * SAMPLE_RATE / HOP))


@dataclass(frozen=True)
class _Run:
    """A stretch of a recording in which its speaker talks: first hop and length in hops."""

    recording: Recording
    pcm: Pcm
    start: int
    hops: int


class Talker:
    """All that a speaker says in these recordings, without the gaps, from the start again when it is used up.

    Recordings without speech are passed over. Raises AudioError where nobody talks in any.
    """

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._unread = list(recordings)
        self._runs: list[_Run] = []
        self._index, self._used = 0, 0
        self._read_on()
        if not self._runs:
            raise AudioError(f"{recordings[0].label}: no speech in the recordings of this speaker; leave them out")

    def speak(self, clean: Pcm, start: int, hops: int) -> list[Segment]:
        """Fill some `hops` hops of `clean` from hop `start` on, at the recordings' level; returns what lies there.

        The spurt ends up to `SOFT_HOPS` earlier or later, but not after the end of `clean`.
        """
        segments: list[Segment] = []
        end = min(start + hops, len(clean) // HOP)
        position = start
        while position < end:
            run = self._runs[self._index]
            first, left = run.start + self._used, run.hops - self._used
            length = min(left, end - position)
            if length < left:
                length = self._soft_end(run.pcm, first, length, min(left, len(clean) // HOP - position))
            segment = Segment(run.recording, position, length, first * HOP)
            clean[segment.samples] = run.pcm[first * HOP : (first + length) * HOP]
            segments.append(segment)
            position += length
            self._advance(run, length)
            if length < left:
                break
        _fade(clean[start * HOP : position * HOP])
        return segments

    def _soft_end(self, pcm: Pcm, first: int, length: int, most: int) -> int:
        """The length near `length`, at most `most`, at which the recording is softest."""
        low, high = max(1, length - SOFT_HOPS), min(most, length + SOFT_HOPS)
        hops = pcm[(first + low - 1) * HOP : (first + high) * HOP].reshape(-1, HOP).astype(np.float64)
        return low + int(np.square(hops).sum(axis=1).argmin())

    def _advance(self, run: _Run, hops: int) -> None:
        self._used += hops
        if self._used == run.hops:
            self._index, self._used = self._index + 1, 0
            self._read_on()
            self._index %= len(self._runs)

    def _read_on(self) -> None:
        """Read recordings until the next run is known, or all are read."""
        while self._unread and self._index >= len(self._runs):
            self._runs += _runs(self._unread.pop(0))


def _runs(recording: Recording) -> list[_Run]:
    found = examine(recording, SPEECH)
    if isinstance(found, str):
        return []
    pcm, _ = found
    pcm = pcm[: len(pcm) // HOP * HOP]
    active = np.pad(near_speech(np.divide(pcm, 32768, dtype=np.float32)), 1)
    edges = np.flatnonzero(active[1:] != active[:-1]).reshape(-1, 2)
    return [_Run(recording, pcm, int(first), int(last - first)) for first, last in edges]


def _fade(spurt: Pcm) -> None:
    """In place: in at its start, out at its end."""
    ramp: NDArray[np.float64] = np.arange(FADE) / FADE
    for edge, gain in ((spurt[:FADE], ramp), (spurt[-FADE:], ramp[::-1])):
        edge[:] = np.round(edge * gain)
