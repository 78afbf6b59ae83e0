# SPDX-License-Identifier: Apache-2.0
"""Gates that hear speech: read-outs of their values, which training alone has.

What a gate does to sound and to work says little, and late, of whether it knows speech: its bits are steps, whose
surrogate gradient fades where scores are large. A linear read-out of its values has a gradient everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config.network import NetworkConfig
from dyncp.train.network.holding import first_decision


class DetectionReadout(nn.Module):
    """Values of every gate in the frames of its decisions, each [B, G, D] → log-odds of speech, each [B, D]."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.linear = nn.ModuleList(nn.Conv1d(config.gate, 1, 1) for _ in range(config.groups))

    def forward(self, values: Sequence[Tensor]) -> list[Tensor]:
        return [linear(value)[:, 0] for linear, value in zip(self.linear, values, strict=True)]


def detection_loss(words: Sequence[Tensor], speech: Tensor, period: int) -> Tensor:
    """Sum over gates of the mean log-loss in the frames of its decisions; `speech`, bool [B, T], has all frames."""
    losses = [
        F.binary_cross_entropy_with_logits(word, speech[:, first_decision(group, 0, period) :: period].to(word.dtype))
        for group, word in enumerate(words)
    ]
    return torch.stack(losses).sum()
