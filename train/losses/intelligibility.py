# SPDX-License-Identifier: Apache-2.0
"""A differentiable ESTOI (Jensen and Taal, 2016) on the front end's own spectra, to train for intelligibility.

As there: one-third octave bands from 150 Hz, segments of 384 ms, every segment normalized to zero mean and unit norm
over time, then over bands, and the mean of the products. Here: 16 or 8 kHz and frames of 32 ms every 16 ms
instead of 10 kHz and 25.6 ms every 12.8 ms, and silent frames stay in; segments without speech get no weight instead.
The highest band ends at 4.3 kHz; at 8 kHz it has the bins below 4 kHz, as when ESTOI itself is given such a signal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.train.losses.spectral import Spectra

BANDS = 15
LOWEST_HZ = 150.0
# Frames of a segment, 0.384 s.
SEGMENT = 24
# A segment counts where the target exceeds this power, relative to active speech: −40 dB.
AUDIBLE = 1e-4
FLOOR = 1e-6


class IntelligibilityLoss(nn.Module):
    """Spectra of estimate and target, of T ≥ 24 frames, in units of the active speech level → 1 − ESTOI."""

    bands: Tensor

    def __init__(self, framing: Framing = STANDARD) -> None:
        super().__init__()
        bins = framing.standard.bins
        hertz = torch.arange(bins) * (framing.rate / 2 / (bins - 1))
        centres = LOWEST_HZ * 2 ** (torch.arange(BANDS) / 3)
        inside = (hertz >= centres[:, None] * 2 ** (-1 / 6)) & (hertz < centres[:, None] * 2 ** (1 / 6))
        self.register_buffer("bands", inside.float(), persistent=False)

    def forward(self, estimate: Spectra, target: Spectra) -> Tensor:
        heard, wanted = self._segments(estimate), self._segments(target)
        # Active speech has a power of 1 a sample: 512 · 256 / 2 a frame, over half the bins.
        audible = (wanted.square().sum(-2).mean(-1) > AUDIBLE * 512 * 256 / 2).to(wanted.dtype)
        correlation = (_normalized(heard) * _normalized(wanted)).sum((-1, -2)) / SEGMENT
        return 1 - ((correlation * audible).sum(1) / audible.sum(1).clamp(min=1)).mean()

    def _segments(self, spectra: Spectra) -> Tensor:
        """Magnitude in bands, cut into segments that overlap by half: [B, segments, bands, 24]."""
        power = self.bands @ spectra.power
        return (power + FLOOR).sqrt().unfold(-1, SEGMENT, SEGMENT // 2).transpose(1, 2)


def _normalized(segments: Tensor) -> Tensor:
    """Zero mean and unit norm over time, then over bands."""
    for axis in (-1, -2):
        segments = segments - segments.mean(axis, keepdim=True)
        segments = segments / (segments.square().sum(axis, keepdim=True) + FLOOR).sqrt()
    return segments
