# SPDX-License-Identifier: Apache-2.0
"""The cap on active channels (docs/arithmetic.md, section 6): which of the gates that would open may."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig

Counts = NDArray[np.int64]
Limit = int | Counts
"""A number of channels for all frames, or one for each frame, [n]."""


@dataclass(frozen=True)
class Caps:
    """Most active channels: in every block, and in all blocks of a frame together."""

    block: Limit
    frame: Limit

    @classmethod
    def of(cls, config: NetworkConfig) -> Caps:
        """Those that a library starts with."""
        return cls(config.block_limit, config.frame_limit)

    def limit(self, used: Limit) -> Limit:
        """Most active channels of a block whose predecessors in the frame have `used` so many."""
        least: Counts = np.minimum(self.block, self.frame - used)
        return least


def highest(scores: NDArray[np.number], limit: Limit) -> NDArray[np.bool_]:
    """Of each frame's positive scores [n, N] the `limit` highest, of equal ones those of the lower channels."""
    active = scores > 0
    limits = np.broadcast_to(limit, len(scores))
    over = active.sum(axis=1) > limits
    if over.any():
        order = np.argsort(-scores[over], axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(scores.shape[1])[None], axis=1)
        active[over] &= rank < limits[over, None]
    return active
