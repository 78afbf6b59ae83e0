# SPDX-License-Identifier: Apache-2.0
"""Sound that comes in pieces of any length: what is known of the output comes back with each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from dyncp.api.result import Result, empty_run, make_result
from dyncp.api.sound import Samples, as_dtype, as_pcm, both_ways, check_dtype, check_rate, checked
from dyncp.base.audio import pad_to_the_end
from dyncp.base.errors import AudioError
from dyncp.base.sounds.samples import Pcm
from dyncp.export.formats.bundle import Bundle
from dyncp.firmware.host.library import Stream as HostStream


class Stream:
    """One stream of a network, independent of all others. The pieces that come back join to the whole, aligned.

    At the network's rate the output of a sample is known once the network's delay and its hop have passed; at other
    rates the two conversions add some milliseconds.
    """

    def __init__(self, bundle: Bundle, stream: HostStream, rate: int, dtype: DTypeLike) -> None:
        self.rate = check_rate(rate)
        self.dtype = check_dtype(dtype)
        self._bundle, self._stream = bundle, stream
        self.reset()

    def reset(self) -> None:
        """Back to the start: what was not given back is dropped."""
        self._stream.reset()
        self._before, self._after = both_ways(self.rate, self._bundle.config.sample_rate)
        self._waiting = np.zeros(0, np.int16)
        self._frames = self._heard = self._converted = self._enhanced = self._given = 0
        self._skip = self._bundle.config.framing.delay
        self._finished = False

    def push(self, samples: ArrayLike) -> Result:
        """The next samples, of any length, in the stream's rate and dtype; what is known by now comes back.

        Raises AudioError for samples of another dtype or beyond full scale, and after `finish`.
        """
        array = checked(samples)
        if array.dtype != self.dtype:
            raise AudioError(f"samples are {array.dtype}, those of this stream {self.dtype}")
        if self._finished:
            raise AudioError("the stream is finished; reset() begins a new one")
        self._heard += len(array)
        self._take(as_pcm(self._before(array)))
        hop = self._bundle.config.hop
        whole = len(self._waiting) // hop * hop
        block, self._waiting = self._waiting[:whole], self._waiting[whole:]
        return self._result(block, len(block) // hop, last=False)

    def finish(self) -> Result:
        """The rest: with it, as many samples have come back as were pushed. Raises AudioError the second time."""
        if self._finished:
            raise AudioError("the stream is finished; reset() begins a new one")
        self._finished = True
        self._take(as_pcm(self._before(np.zeros(0, self.dtype), last=True)))
        block, framing = pad_to_the_end(self._waiting, self._bundle.config.framing), self._bundle.config.framing
        return self._result(block, len(block) // framing.hop - framing.overlaps + 1, last=True)

    def _take(self, pcm: Pcm) -> None:
        self._converted += len(pcm)
        self._waiting = np.concatenate([self._waiting, pcm])

    def _result(self, block: Pcm, frames: int, last: bool) -> Result:
        run = self._stream.run(block) if len(block) else empty_run(self._bundle)
        output = run.output[self._skip :][: self._converted - self._enhanced]
        self._skip = max(0, self._skip - len(run.output))
        self._enhanced += len(output)
        audio = self._give(self._after(output, last), last)
        before, self._frames = self._frames, self._frames + run.frames
        return make_result(self._bundle, run.part(0, frames), audio, self.rate, before)

    def _give(self, samples: Samples, last: bool) -> Samples:
        """No more than was heard; at the end, exactly as much."""
        left = self._heard - self._given
        samples = samples[:left]
        if last:
            # Conversion to and fro may round a sample off.
            samples = np.pad(samples, (0, left - len(samples)))
        self._given += len(samples)
        return as_dtype(samples, self.dtype)
