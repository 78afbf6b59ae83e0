# SPDX-License-Identifier: Apache-2.0
"""What one pass over audio leaves behind, whichever engine made it: the NumPy reference, the C library, a core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP
from dyncp.base.errors import AudioError


@dataclass
class Run:
    """Results of n frames; `trace` holds every stage of docs/emitted-c.md, [n, count], where it was asked for."""

    output: NDArray[np.int16]
    """PCM, [n · hop], late by the framing's delay."""
    masks: NDArray[np.uint32]
    """Packed pruning masks, [n, words] (docs/arithmetic.md, section 7)."""
    words: NDArray[np.int32]
    """Probe words, [n, O]; O is 0 without probes."""
    signals: NDArray[np.int32]
    """The words after their tasks' smoothing (section 9), [n, O]: what decisions and values are taken from."""
    macs: NDArray[np.int64]
    """Multiply–accumulates of each frame, [n] (section 10)."""
    active: NDArray[np.int64]
    """Active channels of each frame, [n]."""
    trace: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        return len(self.masks)

    def part(self, start: int, stop: int | None = None) -> Run:
        """Frames `start` to `stop`, or to the end, without their traces."""
        stop = self.frames if stop is None else stop
        hop = len(self.output) // max(self.frames, 1)
        return Run(
            output=self.output[start * hop : stop * hop],
            masks=self.masks[start:stop],
            words=self.words[start:stop],
            signals=self.signals[start:stop],
            macs=self.macs[start:stop],
            active=self.active[start:stop],
        )


def split(run: Run, frames: int) -> tuple[Run, Run]:
    """The first so many frames of a run and the rest, with their traces."""
    first, rest = run.part(0, frames), run.part(frames)
    first.trace = {stage: values[:frames] for stage, values in run.trace.items()}
    rest.trace = {stage: values[frames:] for stage, values in run.trace.items()}
    return first, rest


def joined(runs: Sequence[Run]) -> Run:
    """Consecutive runs of one stream as one, without their traces."""
    return Run(
        output=np.concatenate([run.output for run in runs]),
        masks=np.concatenate([run.masks for run in runs]),
        words=np.concatenate([run.words for run in runs]),
        signals=np.concatenate([run.signals for run in runs]),
        macs=np.concatenate([run.macs for run in runs]),
        active=np.concatenate([run.active for run in runs]),
    )


def hops(pcm: NDArray[np.int16], hop: int = HOP) -> NDArray[np.int16]:
    """Split int16 PCM into [n, hop]. Raises AudioError if it is not int16, empty or not a whole number of hops."""
    if pcm.dtype != np.int16 or pcm.ndim != 1:
        raise AudioError(f"audio must be one channel of int16 samples, not {pcm.dtype} {list(pcm.shape)}")
    if len(pcm) == 0 or len(pcm) % hop:
        raise AudioError(f"audio has {len(pcm)} samples; pad it to a positive multiple of {hop}")
    return pcm.reshape(-1, hop)
