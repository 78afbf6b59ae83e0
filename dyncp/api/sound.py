# SPDX-License-Identifier: Apache-2.0
"""Arrays as people have them to int16 at the network's rate and back: one channel, int16 or float, any rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import ArrayLike, DTypeLike, NDArray

from dyncp.base.errors import AudioError
from dyncp.base.sounds.samples import Pcm, to_pcm
from dyncp.base.sounds.source import RATES

DTYPES = (np.dtype(np.int16), np.dtype(np.float32), np.dtype(np.float64))

Samples = NDArray[Any]
"""int16, float32 or float64, [samples]."""

QUALITY = "VHQ"


def check_rate(rate: int) -> int:
    """Raises AudioError for a rate that cannot be converted."""
    if rate != int(rate) or not RATES[0] <= rate <= RATES[1]:
        raise AudioError(f"rate is {rate} Hz; whole numbers from {RATES[0]} to {RATES[1]} are converted")
    return int(rate)


def check_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Raises AudioError for samples of another kind."""
    found = np.dtype(dtype)
    if found not in DTYPES:
        raise AudioError(f"samples are {found}; convert them to int16, or to float32 or float64 between -1 and 1")
    return found


def checked(samples: ArrayLike) -> Samples:
    """The array, if it is one channel of finite samples within full scale. Raises AudioError with the remedy."""
    array = np.asarray(samples)
    if array.ndim != 1:
        raise AudioError(f"samples have the shape {list(array.shape)}; give one channel: x[:, 0], or x.mean(axis=1)")
    check_dtype(array.dtype)
    if array.dtype != np.int16 and array.size:
        if not np.isfinite(array).all():
            raise AudioError(f"{int((~np.isfinite(array)).sum()):,} samples are not finite numbers")
        peak = float(np.abs(array).max())
        if peak > 1:
            raise AudioError(f"samples reach {peak:.6g} and would be clipped beyond 1; scale them down first")
    return array


def as_float(samples: Samples) -> NDArray[np.float64]:
    """In [−1, 1]."""
    return samples / 32768.0 if samples.dtype == np.int16 else samples.astype(np.float64)


def as_pcm(samples: Samples) -> Pcm:
    """int16 of samples at the network's rate; int16 stays as it is."""
    return samples if samples.dtype == np.int16 else to_pcm(samples.astype(np.float64))


def as_dtype(pcm: Samples, dtype: np.dtype[Any]) -> Samples:
    """What goes back to the user: int16 or floats in [−1, 1]."""
    if pcm.dtype == dtype:
        return pcm
    return to_pcm(pcm) if dtype == np.int16 else as_float(pcm).astype(dtype)


class Converter:
    """A stream of samples to another rate; linear phase, its delay taken away."""

    def __init__(self, before: int, after: int) -> None:
        self._stream = None if before == after else soxr.ResampleStream(before, after, 1, "float64", quality=QUALITY)

    def __call__(self, samples: Samples, last: bool = False) -> Samples:
        """What is known by now, float64; samples of the wanted rate as they are. After `last` comes nothing."""
        if self._stream is None:
            return samples
        return np.asarray(self._stream.resample_chunk(np.ascontiguousarray(as_float(samples)), last=last))


def both_ways(rate: int, network: int) -> tuple[Converter, Converter]:
    """From a user's rate to a network's, and back."""
    return Converter(rate, network), Converter(network, rate)
