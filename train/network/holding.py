# SPDX-License-Identifier: Apache-2.0
"""Gates that decide every K frames: which frames those are, and what holds in between.

Group g of blocks decides in the frames t with (t − g) mod K = 0, t counting from the start of the stream: groups take
turns, so that every frame carries an even share of the deciding. Before its first decision a group's channels are all
pruned. Only frames of a decision enter the pooling before a gate.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class GateState:
    """What a gate remembers from chunk to chunk of a stream. M blocks in its group."""

    pool: Tensor
    frame: int = 0  # frames of the stream so far, modulo K
    mask: Tensor | None = None  # [B, M, N, 1], decided last; None: nothing was decided yet
    score: Tensor | None = None


def first_decision(group: int, frame: int, period: int) -> int:
    """The first frame of a chunk in which a group decides, given the frame of the stream that the chunk starts with."""
    return (group - frame) % period


def held(decided: Tensor, before: Tensor | None, first: int, period: int, frames: int) -> Tensor:
    """Decisions [B, M, N, D] at the frames `first`, `first` + K … of a chunk → what holds in its frames, [B, M, N, T].

    `before` [B, M, N, 1] holds until the first of them; None is zero.
    """
    if period == 1:
        return decided
    start = decided.new_zeros(*decided.shape[:-1], 1) if before is None else before
    # Not `repeat_interleave`, whose backward is slow on a CPU.
    each = torch.cat([start, decided], dim=-1)[..., None]
    return each.expand(*each.shape[:-1], period).flatten(-2)[..., period - first : period - first + frames]
