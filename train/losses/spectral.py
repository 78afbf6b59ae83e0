# SPDX-License-Identifier: Apache-2.0
"""What training minimises: a compressed-spectrum error and the distance to the target utilization."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dyncp.base.config.framing import SAMPLE_RATE, STANDARD, Framing
from dyncp.train import processes
from dyncp.train.network.stft import POWER, analysed_parts

MAGNITUDE_WEIGHT = 0.7
COMPLEX_WEIGHT = 0.3
# Keeps the gradient of |X|^0.3 finite at 0: −100 dB below a bin of the level that the loss is normalised by.
FLOOR = 1e-8
# Errors this far below the speech, or below the noise of a clip without speech, are as good as none.
SPEECH_ERROR = 10 ** (-45 / 10)
NOISE_ERROR = 10 ** (-30 / 10)
# A power of one step of int16, below which there is nothing to hear.
INAUDIBLE = 1 / 32768**2


class Spectra(NamedTuple):
    """What all losses of sound look at, taken once."""

    parts: Tensor  # real and imaginary, [2, B, F, T]
    power: Tensor  # [B, F, T]


def level_spectra(signal: Tensor, level: Tensor, framing: Framing = STANDARD) -> Spectra:
    """Of signal [B, T·R] in units of its clip's active speech level [B].

    Of 32 ms every 16 ms, whatever the frames of the network: F is 257 at 16 kHz, 129 at 8 kHz. There it is twice what
    the transform gives, so that speech has the power of a frame of 16 kHz, which all losses count on.
    """
    if framing.rate != SAMPLE_RATE:
        signal = signal * (SAMPLE_RATE / framing.rate)
    parts = analysed_parts(signal / level[:, None], framing.standard)
    return Spectra(parts, parts.square().sum(0))


def spectral_loss(estimate: Spectra, target: Spectra) -> Tensor:
    """Compressed-spectrum MSE (arXiv 2412.17121): 0.7 on magnitudes^0.3, 0.3 on the complex spectra.

    The estimate's spectra are those of the re-synthesised waveform, so that inconsistent ones are paid for.
    """
    magnitude_e, parts_e = _compressed(estimate)
    magnitude_t, parts_t = _compressed(target)
    complex_error = 2 * F.mse_loss(parts_e, parts_t)
    return MAGNITUDE_WEIGHT * F.mse_loss(magnitude_e, magnitude_t) + COMPLEX_WEIGHT * complex_error


def waveform_loss(estimate: Tensor, target: Tensor, noisy: Tensor) -> Tensor:
    """Power of the waveform's error over that of the speech, dB, mean over clips; all [B, samples].

    Unlike SI-SDR it minds a wrong level. In decibels a clean clip counts as much as a noisy one, so that clean speech
    stays clean. A clip without speech is measured against its noise; silence costs nothing.
    """
    error, speech, noise = (x.square().mean(1) for x in (estimate - target, target, noisy))
    spoken = speech > INAUDIBLE
    reference = torch.where(spoken, speech, noise) + INAUDIBLE
    least = torch.where(spoken, SPEECH_ERROR, NOISE_ERROR) * reference
    return 10 * ((error + least) / reference).log10().mean()


def utilization_loss(masks: Tensor, target: float) -> Tensor:
    """Squared distance of the whole batch's mean utilization from its target; masks [B, blocks, N, T]."""
    return (processes.mean(masks.mean()) - target).square()


def _compressed(spectra: Spectra) -> tuple[Tensor, Tensor]:
    """|X|^0.3 [B, F, T], and X |X|^−0.7 by its parts [2, B, F, T]."""
    power = spectra.power + FLOOR
    magnitude = power ** (POWER / 2)
    return magnitude, spectra.parts * (magnitude * power.rsqrt())
