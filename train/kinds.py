# SPDX-License-Identifier: Apache-2.0
"""Utilization by kind of frame: a frame near speech may cost more than one at rest.

Every gated channel of a network costs the same MACs, so the share of active channels is the share of what gates can
spend or save.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dyncp.train import processes
from dyncp.train.config import ByKind
from dyncp.train.targets import voice_activity

# Speech begins before its label does and ends after it.
NEAR_FRAMES = 4


def near_speech(clean: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which frames of clean speech in [−1, 1) lie within 4 frames of voice activity, bool [T]."""
    near = np.convolve(voice_activity(clean), np.ones(2 * NEAR_FRAMES + 1), mode="same")
    return near > 0.5


def shares(masks: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
    """masks [B, blocks, N, T], speech bool [B, T] → mean share of active channels in frames of speech and at rest, [2].

    Over the clips of all processes. The second, [2], is how many frames there were of each kind; a share of none is 0.
    """
    active = masks.mean(dim=(1, 2))
    kinds = torch.stack([speech, ~speech]).to(active.dtype)
    summed, frames = processes.total(torch.stack([(active * kinds).sum((1, 2)), kinds.sum((1, 2))]))
    return summed / frames.clamp(min=1), frames


def kind_loss(masks: Tensor, speech: Tensor, targets: ByKind) -> Tensor:
    """Sum of the squared distances of both shares from their targets; a kind without a frame has no say."""
    found, frames = shares(masks, speech)
    wanted = found.new_tensor([targets.speech, targets.rest])
    return ((found - wanted).square() * (frames > 0)).sum()
