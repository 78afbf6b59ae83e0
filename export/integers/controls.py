# SPDX-License-Identifier: Apache-2.0
"""The controls of docs/arithmetic.md, section 11: from the mask to the gain, and from scores to decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dyncp.export.integers.holding import until_next
from dyncp.export.transforms.frontend import Integers, rmul

UNITY, WHOLE = 32767, 32768
"""A gain and a share of 1, Q15."""
NO_LIMIT = 97
"""dB, of which the least gain is 0."""
DECIBEL = 956973408
"""10^(−1/20), Q30."""
FADE_STEP = 4096
"""Of the share of the suppression, in a frame."""


class Decision(NamedTuple):
    """When a decision is told: docs/controls.md."""

    level: int = 0
    """Of a binary task, what its score must be above; of a multiclass one, by how much another class must lead."""
    hangover: int = 0
    """Frames that a decision stays once that no longer holds."""


@dataclass(frozen=True)
class Settings:
    """What firmware may set between frames; by default nothing is changed. Ranges as in docs/controls.md."""

    limit: int = NO_LIMIT
    """dB by which noise falls at most."""
    strength: int = 100
    """Percent, 0 to 200."""
    bypass: bool = False
    attack: int = 100
    """Percent of its way that a gain rises in a frame, 1 to 100."""
    release: int = 100
    """… and falls."""
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    """By task; those that are left out have the defaults."""

    def decision(self, task: str) -> Decision:
        return self.decisions.get(task, Decision())

    def words(self, deciding: Sequence[str]) -> NDArray[np.int32]:
        """In the order of the fields, int32 [5 + 2 · D]; of the decisions those of the tasks `deciding`."""
        gain = [self.limit, self.strength, int(self.bypass), self.attack, self.release]
        return np.array([*gain, *(word for task in deciding for word in self.decision(task))], np.int32)

    @classmethod
    def of(cls, words: NDArray[np.int32], deciding: Sequence[str]) -> Settings:
        """The inverse of `words`."""
        limit, strength, bypass, attack, release, *rest = words.tolist()
        pairs = zip(deciding, map(Decision, rest[::2], rest[1::2]), strict=True)
        decisions = {task: decision for task, decision in pairs if decision != Decision()}
        return cls(limit, strength, bool(bypass), attack, release, decisions)


DEFAULT = Settings()


def least_gain(limit: int) -> int:
    """For a limit in dB, Q15."""
    gain = np.array([UNITY << 15], np.int64)
    for _ in range(min(limit, NO_LIMIT)):
        gain = rmul(2 * gain, DECIBEL)
    return int(gain[0] + 2**14 >> 15)


def share(percent: int) -> int:
    """Percent, 0 to 100, in Q15."""
    return percent * 20972 >> 6


def gains(masks: Integers, settings: Iterable[Settings]) -> Integers:
    """Masks [n, F] and the settings of each frame to gains [n, F], from the initial state."""
    last, wet, shaped = np.zeros_like(masks, shape=masks.shape[1]), WHOLE, np.empty_like(masks)
    for n, (mask, now) in enumerate(zip(masks, settings, strict=True)):
        moved = follow(strengthen(mask, now.strength), last, now.attack, now.release)
        wet = max(wet - FADE_STEP, 0) if now.bypass else min(wet + FADE_STEP, WHOLE)
        last = shaped[n] = soften(np.maximum(moved, least_gain(now.limit)), wet)
    return shaped


def strengthen(mask: Integers, strength: int) -> Integers:
    """Step 1."""
    if strength <= 100:
        return soften(mask, share(strength))
    less = mask * (UNITY - mask) >> 15
    return mask - (less * share(strength - 100) >> 15)


def follow(mask: Integers, last: Integers, attack: int, release: int) -> Integers:
    """Step 2."""
    way = mask - last
    return last + (way * np.where(way > 0, share(attack), share(release)) >> 15)


def soften(gain: Integers, part: int) -> Integers:
    """A share of what is suppressed: steps 1 and 4."""
    return UNITY - ((UNITY - gain) * part >> 15)


def decide(
    scores: NDArray[np.integer], settings: Sequence[Decision], period: int = 1
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Scores of a binary task [n]: where they are above their level, and where the decision is 1, [n] each.

    Both are as of the last frame in which a task of this period is decided.
    """
    read = scores[::period]
    above = read > np.array([now.level for now in settings[::period]], np.int64)
    at = np.where(above, np.arange(len(read)), -(2**31))
    since = np.arange(len(read)) - np.maximum.accumulate(at)
    decided = since * period <= np.array([now.hangover for now in settings[::period]], np.int64)
    return until_next(above, period, len(scores)), until_next(decided, period, len(scores))


def choose(scores: NDArray[np.integer], settings: Sequence[Decision], period: int = 1) -> NDArray[np.int64]:
    """Scores of a multiclass task [n, classes] to the class that is told, [n]."""
    read = scores[::period].astype(np.int64)
    chosen = np.empty(len(read), np.int64)
    told, led = int(read[0].argmax()), 0
    for n, (row, now) in enumerate(zip(read, settings[::period], strict=True)):
        best = int(row.argmax())
        led = led + period if best != told and row[best] - row[told] >= now.level else 0
        if led > now.hangover:
            told, led = best, 0
        chosen[n] = told
    return until_next(chosen, period, len(scores))
