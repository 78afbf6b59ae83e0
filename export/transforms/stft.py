# SPDX-License-Identifier: Apache-2.0
"""The front end of docs/arithmetic.md in float64: what the fixed-point one approximates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import FFT, HOP

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

WINDOW: Array = np.sin(np.pi * np.arange(FFT) / FFT)


def analyse(samples: NDArray[np.int16]) -> Spectrum:
    """Hops [n, 256] to spectra [n, 257] of samples in [−1, 1); silence before the first."""
    current = samples.astype(np.float64) / 32768
    history = np.vstack([np.zeros((1, HOP)), current[:-1]])
    return np.fft.rfft(np.hstack([history, current]) * WINDOW)


def compress(spectrum: Spectrum, edges: Sequence[int] | None = None) -> Array:
    """The network's features, |X|^0.3, [n, 257]; with the edges of bands, the mean power of a band to the 0.15."""
    if edges is None:
        features: Array = np.abs(spectrum) ** 0.3
        return features
    total = np.add.reduceat(np.abs(spectrum) ** 2, np.array(edges[:-1]), axis=1)
    return np.asarray((total / np.diff(edges)) ** 0.15)


def synthesise(spectrum: Spectrum) -> Array:
    """Spectra [n, 257] to samples [n · 256] in [−1, 1), one hop late."""
    frames = np.fft.irfft(spectrum, n=FFT) * WINDOW
    overlap = np.vstack([np.zeros((1, HOP)), frames[:-1, HOP:]])
    samples: Array = (overlap + frames[:, :HOP]).ravel()
    return samples
