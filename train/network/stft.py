# SPDX-License-Identifier: Apache-2.0
"""The float front end: 512-point STFT, hop 256, periodic square-root Hann on both sides (docs/arithmetic.md, 3 and 8).

Frame t covers the hops t − 1 and t; the hop before the first is silence. Synthesis returns the output aligned as on the
device: delayed by one hop.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from dyncp.base.config.framing import FFT, HOP

POWER = 0.3


def window(like: Tensor) -> Tensor:
    return torch.sin(torch.pi * torch.arange(FFT, device=like.device, dtype=like.dtype) / FFT)


def analyse(signal: Tensor) -> Tensor:
    """signal [B, T·256] in [−1, 1) → spectrum complex [B, 257, T]."""
    frames = F.pad(signal, (HOP, 0)).unfold(-1, FFT, HOP)
    spectrum: Tensor = torch.fft.rfft(frames * window(signal))
    return spectrum.transpose(1, 2)


def synthesise(spectrum: Tensor) -> Tensor:
    """spectrum complex [B, 257, T] → signal [B, T·256], one hop late."""
    frames: Tensor = torch.fft.irfft(spectrum.transpose(1, 2), n=FFT)
    frames = frames * window(frames)
    overlap = F.pad(frames[:, :-1, HOP:], (0, 0, 1, 0))
    return (frames[:, :, :HOP] + overlap).flatten(1)


def features(spectrum: Tensor, edges: Sequence[int] | None = None) -> Tensor:
    """|X|^0.3 of [B, 257, T]; with the edges of bands, [B, bands, T]: the mean power of a band's bins to the 0.15."""
    if edges is None:
        return spectrum.abs() ** POWER
    squares = power(spectrum)
    averaging = squares.new_zeros(len(edges) - 1, squares.shape[1])
    for band, (first, end) in enumerate(pairwise(edges)):
        averaging[band, first:end] = 1 / (end - first)
    return (averaging @ squares) ** (POWER / 2)


def power(spectrum: Tensor) -> Tensor:
    """|X|²; by its parts, because torch is slow on complex numbers."""
    return spectrum.real.square() + spectrum.imag.square()


def scaled(spectrum: Tensor, gain: Tensor) -> Tensor:
    """A spectrum times a real gain, by its parts as well."""
    return torch.complex(spectrum.real * gain, spectrum.imag * gain)


def over_bins(bands: Tensor, edges: Sequence[int]) -> Tensor:
    """Values of bands [B, bands, T], each at all bins of its band: [B, 257, T]."""
    widths = torch.tensor([end - first for first, end in pairwise(edges)], device=bands.device)
    return bands.repeat_interleave(widths, dim=1, output_size=edges[-1])
