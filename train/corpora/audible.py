# SPDX-License-Identifier: Apache-2.0
"""Where in a recording somebody speaks, or a noise is one; and whether that is anywhere.

A stretch of speech without speech has nothing to enhance, and one of noise without noise is no mixture, whatever SNR
is asked for: neither is drawn (`settle`), and a recording that has no other is left out. The measure is coarse, for
sorting out what is no speech at all: targets/frames.py has the labels of voice activity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE, samples_at

# Of a stretch that was drawn where nothing is heard, how often another is tried before the best one is taken.
TRIES = 32


@dataclass(frozen=True)
class Sound:
    """What counts as heard in a hop of 16 ms, by its RMS about its mean, so that a constant offset is silence.

    `floor_dbfs`: absolute; `range_db`: below the loud hops, of which there are `least` at least, so that a click does
    not count as one; infinite where only the floor counts. `least`: hops without which a recording, or a stretch of
    it, is none. `name`: of the kind, for messages.
    """

    name: str
    floor_dbfs: float
    range_db: float
    least: int


# Speech: 0.4 s of it, within 30 dB of the loudest as in `active_rms`, and above what is left of five bits; STOI scores
# nothing shorter, PESQ nothing under 0.25 s. Noise: 0.1 s above −70 dBFS; below are a converter's last three bits.
SPEECH = Sound("speech", -60.0, 30.0, 26)
NOISE = Sound("noise", -70.0, np.inf, 6)


@dataclass(frozen=True)
class Audible:
    """`before`: [hops + 1], in how many hops before each of a recording something is heard, and in all of it."""

    before: NDArray[np.int32]

    @classmethod
    def of(cls, pcm: Pcm, sound: Sound, rate: int = SAMPLE_RATE) -> Audible:
        """Measure a recording, int16 [samples]; what is left after its last whole hop does not count."""
        hop = samples_at(rate, HOP)
        hops = pcm[: len(pcm) // hop * hop].reshape(-1, hop)
        power = np.var(hops, axis=1, dtype=np.float32)
        quiet = (32768 * 10 ** (sound.floor_dbfs / 20)) ** 2
        if len(power) >= sound.least and np.isfinite(sound.range_db):
            loud = np.partition(power, -sound.least)[-sound.least]
            quiet = max(quiet, loud * 10 ** (-sound.range_db / 10))
        return cls(np.concatenate([[0], np.cumsum(power >= quiet)]).astype(np.int32))

    @property
    def total(self) -> int:
        """Hops in which something is heard."""
        return int(self.before[-1] - self.before[0])

    def within(self, start: int, stop: int) -> int:
        """Of those, the whole ones in samples `start` to `stop`; a recording that ends before `stop` repeats."""
        return max(0, self._until(stop // HOP) - self._until(-(-start // HOP)))

    def _until(self, hop: int) -> int:
        hops = len(self.before) - 1
        if hops == 0:
            return 0
        return hop // hops * self.total + int(self.before[hop % hops] - self.before[0])

    def draw(self, samples: int, rng: np.random.Generator) -> int:
        """A first sample such that a stretch of `samples` begins or goes on where something is heard."""
        number = int(self.before[0]) + int(rng.integers(self.total))
        hop = int(np.searchsorted(self.before, number, side="right")) - 1
        return hop * HOP - int(rng.integers(samples))


def settle(audible: Audible, sound: Sound, start: int, samples: int, latest: int, rng: np.random.Generator) -> int:
    """The first sample of a stretch: `start` where something is heard in its `samples`, else another, up to `latest`.

    What is drawn anew comes from a generator of its own: where nothing has to be, everything stays as it was.
    """
    least = min(sound.least, samples // HOP // 4, audible.total)
    if audible.within(start, start + samples) >= least:
        return start
    (own,) = rng.spawn(1)
    best = start
    for _ in range(TRIES):
        other = min(max(0, audible.draw(samples, own)), latest)
        if audible.within(other, other + samples) > audible.within(best, best + samples):
            best = other
        if audible.within(best, best + samples) >= least:
            break
    return best


def settle_padding(audible: Audible, sound: Sound, before: int, samples: int, rng: np.random.Generator) -> int:
    """The same for a recording that lies whole in a longer stretch, whose first `samples` are sure to be used.

    `before` samples of silence come first, or fewer where too little would be heard behind them.
    """
    least = min(sound.least, samples // HOP // 4, audible.total)
    if audible.within(0, min(samples - before, HOP * (len(audible.before) - 1))) >= least:
        return before
    (own,) = rng.spawn(1)
    whole = HOP * len(audible.before)
    return int(own.integers(max(1, samples - whole + 1)))
