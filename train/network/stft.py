# SPDX-License-Identifier: Apache-2.0
"""The float front end: 512-point STFT, hop 256, periodic square-root Hann on both sides (docs/arithmetic.md, 3 and 8).

Frame t covers the hops t − 1 and t; the hop before the first is silence. Synthesis returns the output aligned as on the
device: delayed by one hop.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from dyncp.base.config import FFT, HOP

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


def features(spectrum: Tensor) -> Tensor:
    """|X|^0.3 of [B, 257, T]."""
    return spectrum.abs() ** POWER
