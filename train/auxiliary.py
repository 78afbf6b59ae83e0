# SPDX-License-Identifier: Apache-2.0
"""Joint training of gates and probes (the future work of arXiv 2602.10666, section 4): a small auxiliary loss.

Linear read-outs of the binary masks learn voice activity and SNR while the network learns to enhance, and their
gradient reaches the gates through the same surrogate as everything else. They serve training only: the probes of the
product are fitted afterwards, on the masks of the integer network.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.train.config import NetworkConfig

# One unit of the SNR's squared error, so that its loss is of the size of the log-loss.
SNR_UNIT_DB = 10.0


class MaskReadout(nn.Module):
    """masks [B, blocks, N, T] → log-odds of speech [B, T] and SNR in dB [B, T]."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.linear = nn.Conv1d(config.blocks * config.gated, 2, 1)

    def forward(self, masks: Tensor) -> tuple[Tensor, Tensor]:
        speech, snr = self.linear(masks.flatten(1, 2)).unbind(1)
        return speech, SNR_UNIT_DB * snr


def auxiliary_loss(readout: tuple[Tensor, Tensor], speech: Tensor, snr: Tensor) -> Tensor:
    """Log-loss of `speech` (bool [B, T]) plus the squared error of `snr` (dB [B, T]) on the frames with speech."""
    log_odds, estimate = readout
    voiced = speech.to(log_odds.dtype)
    error = ((estimate - snr) / SNR_UNIT_DB).square()
    return F.binary_cross_entropy_with_logits(log_odds, voiced) + (error * voiced).sum() / voiced.sum().clamp(min=1)
