# SPDX-License-Identifier: Apache-2.0
"""Recordings in the order of their strata, without those that turn out to hold no speech or no noise."""

from __future__ import annotations

from dyncp.base.audio import Pcm
from dyncp.train.corpora.audible import Audible, Sound
from dyncp.train.corpora.recordings import Recording
from dyncp.train.corpora.sources import examine, tell_left_out
from dyncp.train.streams.strata import Strata


class Usable:
    """Reads what it draws; a stream hears a small part of a large corpus, so nothing is read before its turn."""

    def __init__(self, strata: Strata, sound: Sound) -> None:
        self._strata, self._sound = strata, sound
        self._left_out: list[str] = []

    def draw(self) -> tuple[Recording, Pcm, Audible]:
        """The next recording, its samples, and where it is heard.

        Raises ConfigError where none of them can be used, AudioError where one cannot be read.
        """
        while True:
            recording = self._strata.draw()
            found = examine(recording, self._sound)
            if not isinstance(found, str):
                return recording, *found
            self._left_out.append(found)
            if not self._strata.discard(recording):
                tell_left_out(self._sound, tuple(self._left_out), 0)

    def tell_left_out(self) -> None:
        """Count and name what was left out, once."""
        tell_left_out(self._sound, tuple(self._left_out), 1)
