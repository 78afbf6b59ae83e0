# SPDX-License-Identifier: Apache-2.0
"""The front end of docs/arithmetic.md in float64: what the fixed-point one approximates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.windows import analysis_window, synthesis_window

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]
Number = TypeVar("Number", np.float64, np.int64)


def analyse(samples: NDArray[np.int16], framing: Framing = STANDARD) -> Spectrum:
    """Hops [n, hop] to spectra [n, bins] of samples in [−1, 1); silence before the first."""
    frames = framed(samples.astype(np.float64) / 32768, framing) * analysis_window(framing)
    return np.fft.rfft(np.pad(frames, ((0, 0), (framing.fft - framing.analysis, 0))))


def framed(samples: NDArray[Number], framing: Framing) -> NDArray[Number]:
    """Hops [n, hop] to what each frame's window covers, [n, analysis]; zeros before the first."""
    past = np.zeros(framing.analysis - framing.hop, samples.dtype)
    every = np.lib.stride_tricks.sliding_window_view(np.concatenate([past, samples.reshape(-1)]), framing.analysis)
    return every[:: framing.hop]


def compress(spectrum: Spectrum, edges: Sequence[int] | None = None) -> Array:
    """The network's features, |X|^0.3, [n, bins]; with the edges of bands, the mean power of a band to the 0.15."""
    if edges is None:
        features: Array = np.abs(spectrum) ** 0.3
        return features
    total = np.add.reduceat(np.abs(spectrum) ** 2, np.array(edges[:-1]), axis=1)
    return np.asarray((total / np.diff(edges)) ** 0.15)


def synthesise(spectrum: Spectrum, framing: Framing = STANDARD) -> Array:
    """Spectra [n, bins] to samples [n · hop] in [−1, 1), `framing.delay` late."""
    frames = np.fft.irfft(spectrum, n=framing.fft)[:, framing.fft - framing.synthesis :] * synthesis_window(framing)
    return added_up(frames, framing).reshape(-1)


def added_up(frames: NDArray[Number], framing: Framing) -> NDArray[Number]:
    """What frames of the synthesis window's length, [n, synthesis], add up to, [n, hop]: hop by hop, oldest first."""
    parts = frames.reshape(len(frames), framing.overlaps, framing.hop)
    out = parts[:, 0].copy()
    for late in range(1, framing.overlaps):
        out[late:] += parts[: max(0, len(parts) - late), late]
    return out
