# SPDX-License-Identifier: Apache-2.0
"""Utilization by kind of frame: a frame near speech may cost more than one at rest.

Every gated channel of a network costs the same MACs, so the share of active channels is the share of the MACs that
gates can spend or save. On a device a block in which anything is active costs something beside its channels: `work`
counts it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dyncp.base.config.training import ByKind
from dyncp.train import processes


def means_by_kind(values: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
    """values [B, T], speech bool [B, T] → mean in frames of speech and at rest, [2], and how many frames each has, [2].

    Over the clips of all processes; the mean of no frame is 0.
    """
    kinds = torch.stack([speech, ~speech]).to(values.dtype)
    summed, frames = processes.total(torch.stack([(values * kinds).sum((1, 2)), kinds.sum((1, 2))]))
    return summed / frames.clamp(min=1), frames


def shares(masks: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
    """masks [B, blocks, N, T], speech bool [B, T] → mean share of active channels by kind, [2], and frames, [2]."""
    return means_by_kind(masks.mean(dim=(1, 2)), speech)


def block_work(masks: Tensor, block_price: float = 0.0) -> Tensor:
    """masks [B, blocks, N, T] → each block's work in each frame, as a share of that with every channel active,
    [B, blocks, T].

    A block costs its active channels and, unless it is empty and skipped whole, those of `block_price`. Its gradient is
    spread evenly over the active channels: the fewer are left, the harder each is pushed.
    """
    active = masks.sum(dim=2)
    if block_price:
        # amax divides its gradient among all that are largest, and here the largest are all that are active.
        active = active + block_price * masks.amax(dim=2)
    return active / (masks.shape[2] + block_price)


def work(masks: Tensor, block_price: float = 0.0) -> Tensor:
    """masks [B, blocks, N, T] → `block_work` of the whole network in each frame, [B, T]."""
    return block_work(masks, block_price).mean(dim=1)


def frame_loss(work: Tensor, speech: Tensor, targets: ByKind, speech_weight: float = 1.0) -> Tensor:
    """Weighted mean, times two, over both kinds of the mean squared distance of each frame's work from its target.

    A mean is met as well by some frames all open and others all closed as by all alike; here each frame of work [B, T]
    has a say, and of [B, blocks, T] each block, which cannot make up for another. `speech_weight` is how much
    frames near speech count for against those at rest.
    """
    wanted = torch.where(speech, targets.speech, targets.rest)
    square = (work - wanted).square() if work.dim() == 2 else (work - wanted[:, None]).square().mean(dim=1)
    near, rest = means_by_kind(square, speech)[0]
    loss: Tensor = (speech_weight * near + rest) * 2 / (1 + speech_weight)
    return loss


def kind_loss(work: Tensor, speech: Tensor, targets: ByKind) -> Tensor:
    """Sum of the squared distances of both kinds' mean work from their targets; a kind without a frame has no say."""
    found, frames = means_by_kind(work, speech)
    wanted = found.new_tensor([targets.speech, targets.rest])
    return ((found - wanted).square() * (frames > 0)).sum()
