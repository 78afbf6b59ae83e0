# SPDX-License-Identifier: Apache-2.0
"""Samples between files and memory: what a file may hold, and int16 of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import AudioError

Pcm = NDArray[np.int16]

FLOATS = frozenset({"FLOAT", "DOUBLE"})
"""Subtypes of files that can hold numbers beyond full scale as they are. Lossy ones decode to some, which saturate."""


def to_pcm(signal: NDArray[np.floating]) -> Pcm:
    """Signal in [−1, 1) to int16, rounded and saturated."""
    return np.clip(np.round(signal * 32768.0), -32768, 32767).astype(np.int16)


@dataclass
class SampleCheck:
    """What was seen of a file's samples, float [n, channels], block by block."""

    samples: int = 0
    not_finite: int = 0
    beyond: int = 0
    peak: float = 0.0

    def add(self, block: NDArray[np.floating]) -> None:
        finite = np.isfinite(block)
        self.samples += block.size
        self.not_finite += block.size - int(finite.sum())
        magnitude = np.abs(block, where=finite, out=np.zeros_like(block))
        self.beyond += int((magnitude > 1).sum())
        self.peak = max(self.peak, float(magnitude.max(initial=0.0)))

    def judge(self, path: Path) -> None:
        """Raises AudioError for numbers that are not finite, and for those beyond full scale: how many, how far."""
        if self.not_finite:
            raise AudioError(f"{path}: holds {self.not_finite:,} samples that are not finite numbers")
        if self.beyond:
            remedy = "divide by 32768: these look like 16-bit integers" if self.peak > 256 else "scale it down first"
            raise AudioError(
                f"{path}: {self.beyond:,} of {self.samples:,} samples lie beyond ±1, up to {self.peak:.6g} "
                f"({20 * math.log10(self.peak):.1f} dB over full scale), and would be clipped; {remedy}"
            )
