# SPDX-License-Identifier: Apache-2.0
"""Utilization by kind of frame: a frame near speech may cost more than one at rest.

Every gated channel of a network costs the same MACs, so the share of active channels is the share of what gates can
spend or save.
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


def frame_loss(masks: Tensor, speech: Tensor, targets: ByKind) -> Tensor:
    """Sum over both kinds of the mean squared distance of each frame's share from its kind's target.

    A mean is met as well by some frames all open and others all closed as by all alike; here each frame has a say.
    """
    distance = masks.mean(dim=(1, 2)) - torch.where(speech, targets.speech, targets.rest)
    return means_by_kind(distance.square(), speech)[0].sum()


def kind_loss(masks: Tensor, speech: Tensor, targets: ByKind) -> Tensor:
    """Sum of the squared distances of both shares from their targets; a kind without a frame has no say."""
    found, frames = shares(masks, speech)
    wanted = found.new_tensor([targets.speech, targets.rest])
    return ((found - wanted).square() * (frames > 0)).sum()
