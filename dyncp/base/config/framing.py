# SPDX-License-Identifier: Apache-2.0
"""How audio is cut into frames.

The constants are those of the standard framing, 32 ms every 16 ms. Corpora, streams and the day are laid out on its
grid of 16 ms, whatever network hears them, and the losses measure on its frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
HOP = 256
FFT = 512
BINS = FFT // 2 + 1

# Of more frames the synthesis window has so small a share of each that its 16 bits give the input back too coarsely.
MOST_OVERLAPS = 8


@dataclass(frozen=True)
class Framing:
    """The frames of one network, in samples; docs/arithmetic.md, sections 2, 3 and 8.

    A frame comes every `hop`. Its transform sees the last `analysis` samples, behind zeros up to `fft`; of what it
    gives back, the last `synthesis` samples are added up to the output.
    """

    hop: int = HOP
    fft: int = FFT
    analysis: int = FFT
    synthesis: int = FFT

    @property
    def bins(self) -> int:
        return self.fft // 2 + 1

    @property
    def overlaps(self) -> int:
        """Frames that each output sample is the sum of."""
        return self.synthesis // self.hop

    @property
    def delay(self) -> int:
        """Samples by which the output lags the input, beyond the hop that has to come in first."""
        return self.synthesis - self.hop

    @property
    def delay_ms(self) -> float:
        return 1000 * self.delay / SAMPLE_RATE

    @property
    def latency_ms(self) -> float:
        """Delay and hop: how old what is heard is, with a processor of no time."""
        return 1000 * self.synthesis / SAMPLE_RATE

    @property
    def frames_per_second(self) -> float:
        return SAMPLE_RATE / self.hop

    def frames(self, seconds: float) -> int:
        """The frames of so many seconds, rounded, one at least."""
        return max(1, round(seconds * SAMPLE_RATE / self.hop))

    def standard_hops(self, frames: int) -> NDArray[np.int64]:
        """The hop of the standard grid that each of the first `frames` frames ends in, [frames]."""
        return ((np.arange(frames, dtype=np.int64) + 1) * self.hop - 1) // HOP

    def within(self, samples: slice, most: int) -> slice:
        """The frames, at most `most`, whose hops lie in these samples of a stream."""
        first = min(most, -(-samples.start // self.hop))
        return slice(first, max(first, min(most, samples.stop // self.hop)))

    def fault(self) -> str | None:
        """Why no network can have these frames; None where one can."""
        if not 32 <= self.hop <= 512 or self.hop % 16:
            return "hop: must be a multiple of 16 from 32 to 512"
        if self.fft not in (128, 256, 512, 1024):
            return "fft: must be 128, 256, 512 or 1024"
        if self.analysis % 16 or self.analysis > self.fft:
            return f"analysis_window: must be a multiple of 16 and at most fft, {self.fft}"
        if self.synthesis % self.hop or not 2 * self.hop <= self.synthesis <= MOST_OVERLAPS * self.hop:
            return f"synthesis_window: must be two to {MOST_OVERLAPS} hops of {self.hop}"
        if self.synthesis > self.analysis:
            return f"synthesis_window: must be no longer than analysis_window, {self.analysis}"
        return None


STANDARD = Framing()
