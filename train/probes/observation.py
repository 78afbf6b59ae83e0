# SPDX-License-Identifier: Apache-2.0
"""What a network shows of itself while it enhances a stream: the raw material of every probe feature.

Whoever runs the network fills this in (dyncp/evaluation/engines): the host build of the generated C, so that probes are
fitted on what the device produces, or the float network, for comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm


@dataclass(frozen=True)
class Observation:
    """T frames of a network with B blocks of N gates. Frame t covers the hops t − 1 and t of the input."""

    masks: NDArray[np.bool_]
    """Which channels were computed, [T, B, N]."""
    scores: NDArray[np.float32]
    """Raw gate scores, whose sign is the mask, [T, B, N]; any positive scale per channel."""
    suppression: NDArray[np.float32]
    """The real mask on the noisy STFT, in [0, 1], [T, 257]."""
    log_magnitude: NDArray[np.float32]
    """log10 |X| of the noisy STFT, floored at −100 dBFS, [T, 257]."""
    output: Pcm
    """Enhanced speech, [T · 256], advanced by the algorithmic delay of one hop: aligned with the input."""

    @property
    def frames(self) -> int:
        return len(self.masks)


def log_magnitude(spectrum: NDArray[np.complexfloating]) -> NDArray[np.float32]:
    """log10 |X| of a noisy STFT of samples in [−1, 1), floored at −100 dBFS: any shape."""
    return np.asarray(np.log10(np.maximum(np.abs(spectrum), 1e-5)), np.float32)
