# SPDX-License-Identifier: Apache-2.0
"""Few mask bits for all probes together: what is not read needs no row of weights, and no sum when it flips.

Blocks of a group close together, so that many bits say the same. Backward elimination finds those that do not: fit
every task, drop the bits that move its words least, and fit again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dyncp.train.probes.linear import LinearProbe, informative

# Of the bits that are left, what a round keeps.
KEPT = 0.75
# Frames that the spread of the words is estimated from.
SAMPLED = 4096


class Fit(Protocol):
    """One task's probe on the features `among`, bool [F]."""

    def __call__(self, *, among: NDArray[np.bool_]) -> LinearProbe: ...


def on_strongest(
    bits: NDArray[np.bool_], fits: Sequence[Fit], probes: Sequence[LinearProbe], count: int
) -> list[LinearProbe]:
    """The tasks' probes on those `count` of bits [T, F] that all together need most; all that vary, if fewer do.

    `probes` are what the fits make of all bits. A bit's strength in a task is the variance that it alone gives the
    task's words, of all of their variance.
    """
    kept = informative(bits)
    share = bits.mean(axis=0)
    variance = share * (1 - share)
    sample = bits[:: max(1, len(bits) // SAMPLED)]
    while (left := int(kept.sum())) > count:
        strength = np.zeros(bits.shape[1])
        for probe in probes:
            strength += (np.square(probe.weight).sum(axis=1) * variance) / max(_variance(probe, sample), 1e-12)
        strength[~kept] = -1
        order = np.argsort(-strength, kind="stable")[: max(count, int(KEPT * left))]
        kept = np.zeros_like(kept)
        kept[order] = True
        probes = [fit(among=kept) for fit in fits]
    return list(probes)


def _variance(probe: LinearProbe, bits: NDArray[np.bool_]) -> float:
    return float(probe.words(bits).var(axis=0).sum())
