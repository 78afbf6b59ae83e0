# SPDX-License-Identifier: Apache-2.0
"""The controls of docs/arithmetic.md, section 11: from the mask to the gain, and the decision of voice activity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.export.transforms.frontend import Integers, rmul

UNITY, WHOLE = 32767, 32768
"""A gain and a share of 1, Q15."""
NO_LIMIT = 97
"""dB, of which the least gain is 0."""
DECIBEL = 956973408
"""10^(−1/20), Q30."""
FADE_STEP = 4096
"""Of the share of the suppression, in a frame."""


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
    vad_level: int = 0
    """What the score of `vad` must be above, in its units."""
    vad_hangover: int = 0
    """Frames that the decision stays longer."""

    def words(self) -> NDArray[np.int32]:
        """In the order of the fields, int32 [7]."""
        return np.array([int(value) for value in astuple(self)], np.int32)

    @classmethod
    def of(cls, words: NDArray[np.int32]) -> Settings:
        """The inverse of `words`."""
        limit, strength, bypass, *rest = words.tolist()
        return cls(limit, strength, bool(bypass), *rest)


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


def voice(scores: NDArray[np.integer], settings: Sequence[Settings]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Scores of the task `vad` [n]: where they are above their level, and where the decision is 1, [n] each."""
    above = scores > np.array([now.vad_level for now in settings], np.int64)
    at = np.where(above, np.arange(len(scores)), -(2**31))
    unvoiced = np.arange(len(scores)) - np.maximum.accumulate(at)
    return above, unvoiced <= np.array([now.vad_hangover for now in settings], np.int64)
