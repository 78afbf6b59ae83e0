# SPDX-License-Identifier: Apache-2.0
"""How audio is cut into frames.

The constants are those of the standard framing, 32 ms every 16 ms at 16 kHz, the rate of every corpus. Corpora, streams
and the day are laid out on its grid of 16 ms, whatever network hears them; one of another rate hears them resampled
(dyncp/base/sounds/rates.py). The losses measure on frames of 32 ms every 16 ms at the network's rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ConfigError

# Of corpora, recordings and streams, and of a network that says nothing else.
SAMPLE_RATE = 16_000
# That a network can have, Hz.
RATES = (8_000, SAMPLE_RATE)
HOP = 256
FFT = 512
BINS = FFT // 2 + 1

# Of more frames the synthesis window has so small a share of each that its 16 bits give the input back too coarsely.
MOST_OVERLAPS = 8


def samples_at(rate: int, standard: int) -> int:
    """As long a time as `standard` samples of 16 kHz, in samples of `rate`."""
    return standard * rate // SAMPLE_RATE


@dataclass(frozen=True)
class Framing:
    """The frames of one network, in samples; docs/arithmetic.md, sections 2, 3 and 8.

    A frame comes every `hop`. Its transform sees the last `analysis` samples, behind zeros up to `fft`; of what it
    gives back, the last `synthesis` samples are added up to the output. `rate` is in Hz.
    """

    hop: int = HOP
    fft: int = FFT
    analysis: int = FFT
    synthesis: int = FFT
    rate: int = SAMPLE_RATE

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Hop, transform and both windows: all that the integers know of a framing."""
        return self.hop, self.fft, self.analysis, self.synthesis

    @property
    def standard(self) -> Framing:
        """32 ms every 16 ms at this rate, what labels, losses and metrics are taken from."""
        hop, window = self.samples(HOP), self.samples(FFT)
        return Framing(hop, window, window, window, self.rate)

    def samples(self, standard: int) -> int:
        """As long a time as `standard` samples of 16 kHz, in samples of this rate."""
        return samples_at(self.rate, standard)

    @property
    def hop_laid_out(self) -> int:
        """The hop in samples of 16 kHz, in which streams are laid out."""
        return self.hop * SAMPLE_RATE // self.rate

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
        return 1000 * self.delay / self.rate

    @property
    def latency_ms(self) -> float:
        """Delay and hop: how old what is heard is, with a processor of no time."""
        return 1000 * self.synthesis / self.rate

    @property
    def frames_per_second(self) -> float:
        return self.rate / self.hop

    def frames(self, seconds: float) -> int:
        """The frames of so many seconds, rounded, one at least."""
        return max(1, round(seconds * self.rate / self.hop))

    def standard_hops(self, frames: int) -> NDArray[np.int64]:
        """The hop of the standard grid that each of the first `frames` frames ends in, [frames]."""
        return ((np.arange(frames, dtype=np.int64) + 1) * self.hop - 1) // self.samples(HOP)

    def within(self, samples: slice, most: int) -> slice:
        """The frames, at most `most`, whose hops lie in these samples of a stream as it is laid out, at 16 kHz."""
        hop = self.hop_laid_out
        first = min(most, -(-samples.start // hop))
        return slice(first, max(first, min(most, samples.stop // hop)))

    def fault(self) -> str | None:
        """Why no network can have these frames; None where one can."""
        if self.rate not in RATES:
            return f"sample_rate: must be {' or '.join(map(str, RATES))}"
        if not 32 <= self.hop <= 512 or self.hop % 16:
            return "hop: must be a multiple of 16 from 32 to 512"
        if self.hop > self.samples(FFT):
            return f"hop: must be at most 32 ms, {self.samples(FFT)} samples at {self.rate} Hz"
        if self.fft not in (128, 256, 512, 1024):
            return "fft: must be 128, 256, 512 or 1024"
        if self.analysis % 16 or self.analysis > self.fft:
            return f"analysis_window: must be a multiple of 16 and at most fft, {self.fft}"
        if self.synthesis % self.hop or not 2 * self.hop <= self.synthesis <= MOST_OVERLAPS * self.hop:
            return f"synthesis_window: must be two to {MOST_OVERLAPS} hops of {self.hop}"
        if self.synthesis > self.analysis:
            return f"synthesis_window: must be no longer than analysis_window, {self.analysis}"
        return None

    def require_corpus_rate(self, what: str) -> None:
        """Raises ConfigError where `what` is done at the rate of corpora alone, and these frames are of another."""
        if self.rate != SAMPLE_RATE:
            raise ConfigError(f"network.sample_rate: is {self.rate}; {what} takes networks of {SAMPLE_RATE} Hz only")


STANDARD = Framing()
