# SPDX-License-Identifier: Apache-2.0
"""Joint training of gates and probes (the future work of arXiv 2602.10666): a small auxiliary loss.

Linear read-outs of the binary masks learn voice activity, SNR, pitch, gender and noise category while the network
learns to enhance, and their gradient reaches the gates through the same surrogate as everything else. They serve
training only: the probes of the product are fitted afterwards, on the masks of the integer network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config.network import NetworkConfig
from dyncp.train import processes
from dyncp.train.targets.clip_labels import GENDERS, UNKNOWN, ClipLabels

# One unit of a squared error, so that it is of the size of a log-loss.
SNR_UNIT_DB = 10.0
PITCH_UNIT_HZ = 50.0


class MaskReadout(nn.Module):
    """masks [B, blocks, N, T] → words [B, 3 + 2 + categories, T]: speech, SNR, pitch, gender, noise category."""

    def __init__(self, config: NetworkConfig, categories: int) -> None:
        super().__init__()
        self.outputs = (1, 1, 1, len(GENDERS), categories)
        self.linear = nn.Conv1d(config.blocks * config.gated, sum(self.outputs), 1)

    def forward(self, masks: Tensor) -> tuple[Tensor, ...]:
        return torch.split(self.linear(masks.flatten(1, 2)), list(self.outputs), dim=1)


def auxiliary_loss(words: tuple[Tensor, ...], labels: ClipLabels) -> Tensor:
    """Mean log-loss of the classes plus mean squared error of SNR and pitch, in their units, where each is defined.

    As in section 2.3 of the paper, SNR and gender count in frames with speech, pitch where there is one.
    """
    speech, snr, pitch, gender, category = words
    voiced = labels.speech.to(speech.dtype)
    frames = speech.shape[-1]
    known = (labels.gender != UNKNOWN)[:, None] * voiced
    genders = labels.gender.clamp(min=0)[:, None].expand(-1, frames)
    return (
        F.binary_cross_entropy_with_logits(speech[:, 0], voiced)
        + _mean((snr[:, 0] - labels.snr / SNR_UNIT_DB).square(), voiced)
        + _mean((pitch[:, 0] - labels.pitch / PITCH_UNIT_HZ).square(), voiced * (labels.pitch > 0))
        + _mean(F.cross_entropy(gender, genders, reduction="none"), known)
        + F.cross_entropy(category, labels.category[:, None].expand(-1, frames))
    )


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over the clips of all processes, which differ in how many frames count."""
    summed, weights = processes.total(torch.stack([(values * weight).sum(), weight.sum()]))
    ratio: Tensor = summed / weights.clamp(min=1)
    return ratio
