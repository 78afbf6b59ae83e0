# SPDX-License-Identifier: Apache-2.0
"""The fixed-point front end: constants, analysis and synthesis (docs/arithmetic.md, sections 1 to 5 and 8).

All frames are computed at once in int64, which holds every intermediate; that all of them fit the 32 bits of the
specification is a property of the algorithm, tested in tests/frontend. A complex array is a pair (re, im).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.errors import QuantizationError
from dyncp.base.windows import analysis_window, synthesis_window
from dyncp.export.transforms.stft import added_up, framed

Integers = NDArray[np.int64]
Complex = tuple[Integers, Integers]

THRESHOLDS = 127
# P[k] is at most 2^61, so a threshold from here on could never be reached.
_THRESHOLD_LIMIT = 2**62


def window(framing: Framing = STANDARD) -> NDArray[np.int16]:
    """Analysis window in Q15: int16 [analysis]. That of the standard framing is a periodic square-root Hann window."""
    return _q15(analysis_window(framing))


def fading(framing: Framing = STANDARD) -> NDArray[np.int16]:
    """Synthesis window in Q15: int16 [synthesis]."""
    return _q15(synthesis_window(framing))


def _q15(values: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.minimum(32767, np.round(2.0**15 * values)).astype(np.int16)


def twiddle(fft: int = STANDARD.fft) -> NDArray[np.int32]:
    """W_Nᵏ in Q30, re and im: int32 [N / 2, 2]."""
    angle = 2 * np.pi * np.arange(fft // 2) / fft
    factors = np.stack([np.cos(angle), -np.sin(angle)], axis=1)
    return np.clip(np.round(2.0**30 * factors), -(2**30) + 1, 2**30 - 1).astype(np.int32)


def tables(framing: Framing = STANDARD) -> dict[str, NDArray[Any]]:
    """Section 2 by the names of docs/bundle.md. With the standard framing, one window serves both ends."""
    own = {"window": window(framing)}
    if framing.sizes != STANDARD.sizes:
        own["synthesis_window"] = fading(framing)
    return {**own, "twiddle": twiddle(framing.fft), "sigmoid": sigmoid()}


def sigmoid() -> NDArray[np.uint16]:
    """The sigmoid over Q10 logits in Q15, one entry every 256: uint16 [257]."""
    logits = (256 * np.arange(257) - 32768) / 1024
    return np.round(32767 / (1 + np.exp(-logits))).astype(np.uint16)


def feature_thresholds(scale: float, fft: int = STANDARD.fft) -> NDArray[np.uint64]:
    """Thresholds on P[k] where |X|^0.3 / `scale` rounds to 1, 2, …, 127 (section 5): uint64 [127].

    With L = log₂ N, T = ceil(2^(60 − 2 L) · x^(20/3)) is the smallest integer with T³ ≥ 2^(180 − 6 L) · x²⁰, found
    exactly, without floats.
    Raises QuantizationError for a scale that is not positive and finite, or so large or small that thresholds
    could not be told apart or be reached.
    """
    if not (math.isfinite(scale) and scale > 0):
        raise QuantizationError(f"scale of `features` is {scale}; it must be positive and finite")
    thresholds, largest = [], 2 ** (180 - 6 * (fft.bit_length() - 1))
    for i in range(1, THRESHOLDS + 1):
        cube = math.ceil(largest * ((i - Fraction(1, 2)) * Fraction(scale)) ** 20)
        thresholds.append(bisect_left(range(_THRESHOLD_LIMIT), cube, key=lambda t: t**3))
    if thresholds[-1] >= _THRESHOLD_LIMIT or len(set(thresholds)) < THRESHOLDS:
        raise QuantizationError(
            f"scale of `features` is {scale}; it must lie between about {finest(fft):.3f} and {6 * finest(fft):.3f}"
        )
    return np.array(thresholds, dtype=np.uint64)


def finest(fft: int = STANDARD.fft) -> float:
    """The finest scale of features whose thresholds can be told apart; magnitudes grow with the transform."""
    return 0.01 * float((fft / STANDARD.fft) ** 0.3)


def rmul(a: Integers, m: Integers | int) -> Integers:
    """The one requantization: (a · m + 2³⁰) >> 31 (section 1)."""
    return (a * m + 2**30) >> 31


def saturate(values: Integers, low: int, high: int) -> Integers:
    return np.clip(values, low, high)


def twist(q: Complex, k: Integers, fft: int) -> Complex:
    """W_Nᵏ · q / 2 (section 3); q is [..., len(k)]."""
    re, im = q
    wr, wi = twiddle(fft).astype(np.int64)[k].T
    turned = rmul(re, wr) - rmul(im, wi), rmul(re, wi) + rmul(im, wr)
    return np.where(k == 0, re >> 1, turned[0]), np.where(k == 0, im >> 1, turned[1])


def transform(z: Complex) -> Complex:
    """The DFT of [n, P] complex values divided by P, a power of 2 (section 4)."""
    points = z[0].shape[1]
    index, bits = np.arange(points), points.bit_length() - 1
    reversed_index = sum(((index >> bit) & 1) << (bits - 1 - bit) for bit in range(bits))
    re, im = z[0][:, reversed_index], z[1][:, reversed_index]
    for half in (1 << stage for stage in range(bits)):
        re, im = re.reshape(-1, points // (2 * half), 2, half), im.reshape(-1, points // (2 * half), 2, half)
        t_re, t_im = twist((re[:, :, 1], im[:, :, 1]), np.arange(half) * (points // half), 2 * points)
        p_re, p_im = re[:, :, 0] >> 1, im[:, :, 0] >> 1
        re = np.stack([p_re + t_re, p_re - t_re], axis=2).reshape(-1, points)
        im = np.stack([p_im + t_im, p_im - t_im], axis=2).reshape(-1, points)
    return re, im


def analysis(samples: NDArray[np.int16], framing: Framing = STANDARD) -> Complex:
    """Spectra X[k] of all hops (section 3): int16 [n, hop] to re and im, int64 [n, bins]."""
    u = framed(samples.astype(np.int64), framing) * window(framing).astype(np.int64)
    u = np.pad(u, ((0, 0), (framing.fft - framing.analysis, 0)))
    return _split(transform((u[:, 0::2], u[:, 1::2])))


def _split(z: Complex) -> Complex:
    """The spectrum of N real samples from that of their P = N / 2 pairs as complex values (section 3, step 3)."""
    points = z[0].shape[1]
    k = np.arange(points // 2 + 1)
    a_re, a_im = z[0][:, k] >> 1, z[1][:, k] >> 1
    b_re, b_im = z[0][:, (points - k) % points] >> 1, -z[1][:, (points - k) % points] >> 1
    e_re, e_im = a_re + b_re, a_im + b_im
    d_re, d_im = a_re - b_re, a_im - b_im
    t_re, t_im = twist((d_im, -d_re), k, 2 * points)
    re, im = np.zeros((2, len(e_re), points + 1), dtype=np.int64)
    re[:, points - k], im[:, points - k] = (e_re >> 1) - t_re, -((e_im >> 1) - t_im)
    re[:, k], im[:, k] = (e_re >> 1) + t_re, (e_im >> 1) + t_im
    im[:, 0] = im[:, points] = 0
    return re, im


def features(spectrum: Complex, thresholds: NDArray[np.integer[Any]], edges: Sequence[int] | None = None) -> Integers:
    """Compressed magnitudes, 0 to 127: how many thresholds |X|² reaches (section 5), [n, bins].

    With the edges of bands, [n, bands]: how many the mean of |X|² over a band's bins reaches.
    """
    power = (spectrum[0] ** 2 + spectrum[1] ** 2).astype(np.uint64)
    if edges is not None:
        power = band_means(power, edges)
    return np.searchsorted(thresholds, power, side="right").astype(np.int64)


def reciprocals(edges: Sequence[int]) -> NDArray[np.uint32]:
    """Of the bands' numbers of bins in Q32, 0 standing for 1 / 1 (section 5): uint32 [bands]."""
    widths = np.diff(edges).astype(np.uint64)
    rounded = (np.uint64(2**32) + widths // 2) // widths
    return np.where(widths == 1, 0, rounded).astype(np.uint32)


def band_means(power: NDArray[np.uint64], edges: Sequence[int]) -> NDArray[np.uint64]:
    """Powers of bins [n, bins] to means over bands [n, bands] (section 5), in 96 bits taken by halves."""
    total = np.add.reduceat(power, np.array(edges[:-1]), axis=1)
    reciprocal = reciprocals(edges).astype(np.uint64)
    high, low = total >> np.uint64(32), total & np.uint64(2**32 - 1)
    mean = high * reciprocal + (low * reciprocal >> np.uint64(32))
    return np.asarray(np.where(reciprocal == 0, total, mean))


def over_bins(values: Integers, edges: Sequence[int] | None) -> Integers:
    """Values of bands [n, bands] at all bins of their band, [n, bins] (section 6); of bins, as they are."""
    return values if edges is None else np.repeat(values, np.diff(edges), axis=1)


def suppression(logits: Integers) -> Integers:
    """The mask M in Q15: the sigmoid of Q10 logits by linear interpolation (section 6)."""
    table = sigmoid().astype(np.int64)
    index, fraction = (logits + 32768) >> 8, (logits + 32768) & 255
    mask: Integers = (table[index] * (256 - fraction) + table[index + 1] * fraction + 128) >> 8
    return mask


def synthesis(spectrum: Complex, mask: Integers, framing: Framing = STANDARD) -> NDArray[np.int16]:
    """Enhanced hops, late by the delay (section 8): spectra and mask, both [n, bins], to int16 [n, hop]."""
    z_re, z_im = _merge((rmul(spectrum[0], mask << 15), rmul(spectrum[1], mask << 15)))
    y_im, y_re = transform((z_im, z_re))
    y = np.stack([y_re, y_im], axis=2).reshape(-1, framing.fft)[:, framing.fft - framing.synthesis :]
    o = rmul(y, fading(framing).astype(np.int64) << 15)
    # Sums in Q(13 − log₂ N).
    return saturate(rmul(added_up(o, framing), 2**18 * framing.fft), -32768, 32767).astype(np.int16)


def _merge(y: Complex) -> Complex:
    """The inverse of `_split`, for spectra that are halved already (section 8, step 2)."""
    points = y[0].shape[1] - 1
    k = np.arange(points // 2 + 1)
    a_re, a_im = y[0][:, k], y[1][:, k]
    b_re, b_im = y[0][:, points - k], -y[1][:, points - k]
    e_re, e_im = a_re + b_re, a_im + b_im
    o_re, o_im = a_re - b_re, a_im - b_im
    t_re, minus_t_im = twist((o_re, -o_im), k, 2 * points)
    t_im = -minus_t_im
    re, im = np.zeros((2, len(e_re), points), dtype=np.int64)
    inner = k[1:-1]
    re[:, points - inner] = ((e_re >> 1) + t_im)[:, inner]
    im[:, points - inner] = -((e_im >> 1) - t_re)[:, inner]
    re[:, k], im[:, k] = (e_re >> 1) - t_im, (e_im >> 1) + t_re
    return re, im
