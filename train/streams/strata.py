# SPDX-License-Identifier: Apache-2.0
"""Stratified random order: every class has an equal share, spread over the stream (arXiv 2602.10666, section 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from dyncp.train.corpora.recordings import Recording


class Strata:
    """Recordings in random order such that all strata have had the same time, give or take one recording.

    Within a stratum none is drawn twice before all have been drawn once. A stratum whose recordings have been used
    `repeats` times comes after those that still hold something, so that a class of three files does not fill a fourth
    of the stream with them.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        stratum: Callable[[Recording], Hashable],
        repeats: int,
        rng: np.random.Generator,
    ) -> None:
        self._stratum, self._repeats, self._rng = stratum, repeats, rng
        self._members: dict[Hashable, list[Recording]] = {}
        for recording in recordings:
            self._members.setdefault(stratum(recording), []).append(recording)
        self._left: dict[Hashable, list[Recording]] = {name: [] for name in self._members}
        self._rounds = dict.fromkeys(self._members, 0)
        self._time = dict.fromkeys(self._members, 0)

    def draw(self) -> Recording:
        """The next recording, of the stratum that has had the least time; chance decides between equals."""
        names = list(self._members)
        ties = self._rng.random(len(names))
        used_up = [max(0, self._rounds[name] - self._repeats + (not self._left[name])) for name in names]
        name = names[min(range(len(names)), key=lambda i: (used_up[i], self._time[names[i]], ties[i]))]
        if not self._left[name]:
            members = self._members[name]
            self._left[name] = [members[i] for i in self._rng.permutation(len(members))]
            self._rounds[name] += 1
        return self._left[name].pop()

    def spend(self, recording: Recording, hops: int) -> None:
        """Charge a stratum with the time that a recording of it took."""
        self._time[self._stratum(recording)] += hops

    def discard(self, recording: Recording) -> bool:
        """Draw a recording never again; whether any is left."""
        name = self._stratum(recording)
        self._members[name].remove(recording)
        if not self._members[name]:
            del self._members[name]
        return bool(self._members)
