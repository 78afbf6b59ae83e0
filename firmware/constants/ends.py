# SPDX-License-Identifier: Apache-2.0
"""Spectra and logits that reach every entry of the tables of both ends: thresholds, their starts, the sigmoid."""

from __future__ import annotations

from math import isqrt

import numpy as np

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle
from dyncp.export.transforms.frontend import Integers

MOST_POWER = 2**63
"""Of a band's sum, and twice that would overflow; real frames stay below 2^61."""
SOME = 40
"""Real parts that are tried for a power: all, where an error of one unit is a thousandth or more."""


def spectra(bundle: Bundle, count: int, random: np.random.Generator) -> Integers:
    """[n, bins · 2], n at least `count`: powers on both sides of every threshold, at every start, then random ones."""
    targets = []
    for threshold in map(int, bundle.tensors["features.thresholds"]):
        # A band's mean is rounded down twice: it is left some room, an eighth of the error that must show.
        targets += [_below(threshold - (threshold >> 13)), _reaching(threshold + (threshold >> 13))]
    targets += [_reaching(max(1, 2**e * (4 + f) // 4)) for e in range(61) for f in range(4)]
    frames = -(-len(targets) // bundle.config.spectrum)
    rows = [_frame(bundle.config, targets[at::frames]) for at in range(frames)]
    # Levels from the faintest to the loudest that cannot make a band's sum overflow.
    rest = max(0, count - len(rows))
    level = 2.0 ** random.uniform(0, 26, (rest, 1))
    rows += list(np.round(level * random.uniform(-1, 1, (rest, 2 * bundle.config.framing.bins))).astype(np.int64))
    bins = np.stack(rows)
    # As the analysis leaves them; synthesis relies on it.
    bins[:, [1, -1]] = 0
    return bins


def _below(power: int) -> tuple[int, int]:
    """re and im of the largest power below this one, or about the largest."""
    return max(((re, isqrt(power - 1 - re * re)) for re in _first_parts(power - 1)), key=_power)


def _reaching(power: int) -> tuple[int, int]:
    """re and im of the least power that reaches this one, or about the least."""
    return min(((re, isqrt(max(0, power - re * re - 1)) + (power > re * re)) for re in _first_parts(power)), key=_power)


def _first_parts(power: int) -> range:
    """Of small powers all that there are, of large ones some."""
    largest = isqrt(power)
    return range(max(0, largest - SOME), largest + 1)


def _power(bin: tuple[int, int]) -> int:
    return bin[0] ** 2 + bin[1] ** 2


def _frame(config: NetworkConfig, targets: list[tuple[int, int]]) -> Integers:
    """The targets as the powers of bins or, where there are bands, of all bins of a band.

    The wider a band, the less it gets, for what all bins have together is bounded.
    """
    bins = np.zeros((config.framing.bins, 2), np.int64)
    edges = config.bands or tuple(range(len(bins) + 1))
    by_width = np.argsort(np.diff(edges), kind="stable").tolist()
    for band, (re, im) in zip(by_width, sorted(targets, key=_power, reverse=True), strict=False):
        if _power((re, im)) * (edges[band + 1] - edges[band]) < MOST_POWER:
            bins[edges[band] : edges[band + 1]] = re, im
    return bins.reshape(-1)


def logits(values: int, count: int, random: np.random.Generator) -> Integers:
    """[n, values]: every entry of the sigmoid alone, then the largest of all, then random ones."""
    wanted = np.append(np.arange(-32768, 32768, 256), 32767)
    rows = random.integers(-32768, 32768, (count, values))
    fits = min(len(wanted), count * values)
    rows.reshape(-1)[:fits] = wanted[:fits]
    return np.asarray(rows)
