# SPDX-License-Identifier: Apache-2.0
"""The float front end: the STFT of a framing and its inverse (docs/arithmetic.md, sections 2, 3 and 8).

Frame t ends with hop t; before the first hop is silence. Synthesis returns the output aligned as on the device: delayed
by the framing's `delay`. R is its hop, F its bins: 256 and 257 where none is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.windows import analysis_window, synthesis_window

POWER = 0.3


@cache
def _windows(framing: Framing, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Of analysis and synthesis."""
    windows = analysis_window(framing), synthesis_window(framing)
    # They outlive the caller's inference mode, and gradients need tensors that were made outside of it.
    with torch.inference_mode(False):
        analysis, synthesis = (torch.from_numpy(window).to(device, dtype) for window in windows)
    return analysis, synthesis


def analyse(signal: Tensor, framing: Framing = STANDARD) -> Tensor:
    """signal [B, T·R] in [−1, 1) → spectrum complex [B, F, T]."""
    spectrum: Tensor = torch.fft.rfft(_frames(signal, framing))
    return spectrum.transpose(1, 2)


def _frames(signal: Tensor, framing: Framing) -> Tensor:
    """signal [B, T·R] → what is transformed, windowed and behind zeros: [B, T, points]."""
    window, _ = _windows(framing, signal.dtype, signal.device)
    frames = F.pad(signal, (framing.analysis - framing.hop, 0)).unfold(-1, framing.analysis, framing.hop) * window
    return F.pad(frames, (framing.fft - framing.analysis, 0))


def analysed_parts(signal: Tensor, framing: Framing = STANDARD) -> Tensor:
    """The same spectrum as its real and imaginary parts [2, B, F, T], for losses: torch is slow on complex numbers, and
    slower on their gradients."""
    parts: Tensor = _Parts.apply(_frames(signal, framing))  # type: ignore[no-untyped-call]
    return parts


class _Parts(torch.autograd.Function):
    """Frames, real [B, T, N] → real and imaginary parts of their spectra [2, B, F, T].

    The gradient of a real transform is an inverse one, at half a complex transform's cost, which torch would take.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, frames: Tensor) -> Tensor:
        spectrum = torch.view_as_real(torch.fft.rfft(frames))
        return spectrum.permute(3, 0, 2, 1).contiguous()

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        real, imaginary = gradients[0].transpose(-1, -2)
        spectrum = torch.complex(real.contiguous(), imaginary.contiguous())
        points = 2 * (spectrum.shape[-1] - 1)
        # The inverse counts all bins but the two at the ends twice.
        spectrum[..., 1:-1] *= 0.5
        frames: Tensor = torch.fft.irfft(spectrum, n=points, norm="forward")
        return frames


def synthesise(spectrum: Tensor, framing: Framing = STANDARD) -> Tensor:
    """spectrum complex [B, F, T] → signal [B, T·R], `framing.delay` samples late."""
    frames: Tensor = torch.fft.irfft(spectrum.transpose(1, 2), n=framing.fft)[..., framing.fft - framing.synthesis :]
    _, window = _windows(framing, frames.dtype, frames.device)
    parts = torch.split(frames * window, framing.hop, -1)
    out = parts[0]
    for late, part in enumerate(parts[1:], start=1):
        # Of a spectrum shorter than the overlap, some parts lie beyond its end.
        out = out + F.pad(part, (0, 0, late, 0))[:, : out.shape[1]]
    return out.flatten(1)


def features(spectrum: Tensor, edges: Sequence[int] | None = None) -> Tensor:
    """|X|^0.3 of [B, F, T]; with the edges of bands, [B, bands, T]: the mean power of a band's bins to the 0.15."""
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
    """Values of bands [B, bands, T], each at all bins of its band: [B, F, T]."""
    widths = torch.tensor([end - first for first, end in pairwise(edges)], device=bands.device)
    return bands.repeat_interleave(widths, dim=1, output_size=edges[-1])
