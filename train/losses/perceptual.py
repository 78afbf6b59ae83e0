# SPDX-License-Identifier: Apache-2.0
"""A differentiable relative of PESQ (ITU-T P.862, section 10.2), to train for what listeners mind.

Kept of P.862: level alignment in the telephone band, power in critical bands, compensation of linear filtering and of
slow gain changes, Zwicker's loudness, the dead zone of masking, symmetric and asymmetric disturbance, the emphasis of
soft frames, the norms over bands and over time, and the weights of the two disturbances. Left out: time alignment (the
pair is aligned) and its bad intervals. Constants are those of P.862; critical bands and the threshold in quiet are
formulas instead of its tables (Schroeder et al. 1979, Terhardt 1979). At 8 kHz the bands end at 4 kHz, without the
filter of a telephone receiver that P.862 puts before them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config.framing import SAMPLE_RATE, STANDARD, Framing
from dyncp.train.losses.spectral import Spectra

# By sample rate, as in P.862.
BANDS = {SAMPLE_RATE: 49, SAMPLE_RATE // 2: 42}
# Level of active speech in the units of P.862 (sum over its pitch power densities), dB.
SPEECH_DB = 85.0
# Of the power per bin, so that active speech sums to that in a frame: a frame of a signal of RMS 1 has
# Σ |X|² ≈ 512 · 256 / 2 over the half spectrum, as the window's power is 1/2.
SCALE = 10 ** (SPEECH_DB / 10) / (512 * 256 / 2)
TELEPHONE_HZ = (325.0, 3250.0)
LOUDNESS_EXPONENT = 0.23
LOUDNESS_SCALE = 0.187
SYMMETRIC_WEIGHT, ASYMMETRIC_WEIGHT = 0.1, 0.0309
# Power of a frame from which it counts for the filter.
AUDIBLE = 1e4
# Frames over which the louder disturbances dominate: 0.32 s.
INTERVAL = 20


class PerceptualLoss(nn.Module):
    """Spectra of estimate and target, of signals in units of the active speech level → a scalar.

    The value approximates what P.862 subtracts from its best raw score, 4.5: 0 for a perfect estimate.
    """

    bands: Tensor
    width: Tensor
    quiet: Tensor
    telephone: Tensor

    def __init__(self, compensation: float = 1.0, framing: Framing = STANDARD) -> None:
        """`compensation`: exponent of the two gains that P.862 forgives; 1 as it does, 0 forgives nothing."""
        super().__init__()
        self.compensation = compensation
        bins, count = framing.standard.bins, BANDS[framing.rate]
        hertz = torch.arange(bins) * (framing.rate / 2 / (bins - 1))
        bark = 7 * torch.asinh(hertz / 650)
        edges = torch.linspace(0, float(bark[-1]), count + 1)
        # Triangles that sum to one over every bin: a band narrower than a bin still gets its share.
        centres = (edges[1:] + edges[:-1]) / 2
        step = float(edges[1])
        bands = (1 - (bark[None, :] - centres[:, None]).abs() / step).clamp(min=0)
        self.register_buffer("bands", bands / bands.sum(0, keepdim=True).clamp(min=1e-6), persistent=False)
        self.register_buffer("width", torch.full((count, 1), step), persistent=False)
        khz = 0.65 * torch.sinh(centres / 7).clamp(min=0.05)[:, None]
        quiet_db = 3.64 * khz**-0.8 - 6.5 * torch.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
        self.register_buffer("quiet", 10 ** (quiet_db / 10), persistent=False)
        inside = (hertz >= TELEPHONE_HZ[0]) & (hertz <= TELEPHONE_HZ[1])
        self.register_buffer("telephone", inside.float()[None], persistent=False)

    def forward(self, estimate: Spectra, target: Spectra) -> Tensor:
        power_e, power_t = estimate.power * SCALE, target.power * SCALE
        telephone_e, telephone_t = (self.telephone @ power for power in (power_e, power_t))
        gain = (telephone_t.sum((1, 2)) + 1) / (telephone_e.sum((1, 2)) + 1)
        heard, wanted = (self.bands @ power_e) * gain[:, None, None], self.bands @ power_t
        wanted = wanted * self._forgiven(_filter(heard, wanted, power_t))
        heard = heard * self._forgiven(_slow_gain(heard, wanted))
        loud_e, loud_t = self._loudness(heard), self._loudness(wanted)
        masked = 0.25 * torch.minimum(loud_e, loud_t)
        disturbance = F.relu((loud_e - loud_t).abs() - masked)
        ratio = ((heard + 50) / (wanted + 50)) ** 1.2
        asymmetry = torch.where(ratio < 3, 0.0, ratio.clamp(max=12)).detach()
        symmetric = (self.width.sum() * (disturbance * self.width).square().sum(1) + 1e-6).sqrt()
        asymmetric = (disturbance * asymmetry * self.width).sum(1)
        # Soft frames count more, as in P.862: ((power + 1e5) / 1e7)^−0.04.
        emphasis = ((power_t.sum(1) + 1e5) / 1e7) ** -0.04
        return (
            SYMMETRIC_WEIGHT * _over_time((symmetric * emphasis).clamp(max=45))
            + ASYMMETRIC_WEIGHT * _over_time((asymmetric * emphasis).clamp(max=45))
        ).mean()

    def _forgiven(self, gain: Tensor) -> Tensor:
        return gain if self.compensation == 1 else gain**self.compensation

    def _loudness(self, power: Tensor) -> Tensor:
        """Zwicker's specific loudness, sone per Bark, of power in critical bands."""
        shape = (self.quiet / 0.5) ** LOUDNESS_EXPONENT
        return LOUDNESS_SCALE * shape * F.relu((0.5 + 0.5 * power / self.quiet) ** LOUDNESS_EXPONENT - 1)


def _filter(heard: Tensor, wanted: Tensor, power: Tensor) -> Tensor:
    """What linear filter the estimate looks to have passed, per band [B, bands, 1], at most ±20 dB (10.2.8)."""
    audible = (power.sum(1, keepdim=True) > AUDIBLE).to(heard.dtype)
    ratio = ((heard * audible).mean(-1, keepdim=True) + 1e3) / ((wanted * audible).mean(-1, keepdim=True) + 1e3)
    return ratio.clamp(0.01, 100)


def _slow_gain(heard: Tensor, wanted: Tensor) -> Tensor:
    """Gain per frame [B, 1, T] that undoes the estimate's, smoothed over frames (10.2.9)."""
    ratio = (wanted.sum(1, keepdim=True) + 5e3) / (heard.sum(1, keepdim=True) + 5e3)
    # The one-pole of P.862, 0.8 of the new and 0.2 of the old, to its third term.
    late = F.pad(ratio, (2, 0), mode="replicate")
    return (0.8 * ratio + 0.16 * late[..., 1:-1] + 0.04 * late[..., :-2]).clamp(3e-4, 5)


def _over_time(frames: Tensor) -> Tensor:
    """[B, T] → [B]: L6 within intervals of 0.32 s that overlap by half, then L2 over the clip (P.862, 10.2.16)."""
    length = min(INTERVAL, frames.shape[-1])
    intervals = frames.unfold(-1, length, max(1, length // 2))
    return (intervals.pow(6).mean(-1) + 1e-12).pow(1 / 3).mean(-1).sqrt()
