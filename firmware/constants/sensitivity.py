# SPDX-License-Identifier: Apache-2.0
"""By how much an accumulator must move before its requantized value does, and which errors therefore show.

An error that must show: one unit of a weight or bias, a thousandth (2⁻¹⁰) of a multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.export.transforms.frontend import Integers, rmul

Flags = NDArray[np.bool_]

NEVER = 2**40
"""More than any accumulator moves."""

SMALL = 2**13
"""Accumulators below this are tried one by one."""

MORE, LESS = 0, 1
"""Errors upwards and downwards: the first axis of flags."""
SIGNS = {MORE: 1, LESS: -1}


def first_at(value: Integers | int, multiplier: Integers) -> Integers:
    """The least accumulator that is requantized to `value`: rmul(a, m) ≥ value; `multiplier` is positive."""
    return -((2**30 - value * 2**31) // multiplier)


def wrong_multipliers(multiplier: Integers) -> tuple[Integers, Integers]:
    """A thousandth more and less."""
    step = np.maximum(multiplier >> 10, 1)
    return multiplier + step, multiplier - step


@dataclass(frozen=True)
class Range:
    """Values of a layer's output that are not saturated, the limits included; arrays have one for each row."""

    low: Integers | int
    high: Integers | int

    def of(self, accumulator: Integers, multiplier: Integers) -> Integers:
        """The output."""
        return np.clip(rmul(accumulator, multiplier), self.low, self.high)


@dataclass(frozen=True)
class Inputs:
    """The values that a layer's input may take."""

    low: int
    high: int

    @property
    def values(self) -> Integers:
        return np.arange(self.low, self.high + 1)

    def random(self, random: np.random.Generator, shape: int | tuple[int, ...]) -> Integers:
        """None of them 0, so that every weight counts."""
        values: Integers = random.integers(self.low, self.high + 1, shape)
        return np.where(values == 0, self.high, values)


def steps(accumulator: Integers, multiplier: Integers, bounds: Range) -> tuple[Integers, Integers]:
    """How far the accumulator of each row must rise, and fall, until the saturated output changes; or NEVER."""
    value, m = rmul(accumulator, multiplier), np.maximum(multiplier, 1)
    above, below = np.maximum(value, bounds.low) + 1, np.minimum(value, bounds.high)
    up = np.where(above <= bounds.high, first_at(above, m) - accumulator, NEVER)
    down = np.where(below > bounds.low, accumulator - first_at(below, m) + 1, NEVER)
    moves = multiplier > 0
    return np.where(moves, up, NEVER), np.where(moves, down, NEVER)


class Shown:
    """Which errors of a layer's weights [R, K], biases [R] and multipliers [R] some input so far would show.

    Each has flags [2, …], for errors upwards and downwards. Errors that are `inert` show in no output, whatever the
    input, and count as shown. A layer without a multiplier tells its accumulators; one without biases has zeros.
    """

    def __init__(self, weight: Integers, bias: Integers, multiplier: Integers | None) -> None:
        rows = len(weight)
        self.weight, self.bias, self.multiplier = weight, bias, multiplier
        self.weight_shown, self.weight_inert = np.zeros((2, 2, *weight.shape), np.bool_)
        self.bias_shown, self.bias_inert = np.zeros((2, 2, rows), np.bool_)
        self.scale_shown, self.scale_inert = np.zeros((2, 2, rows), np.bool_)
        if multiplier is None:
            self.scale_shown[:] = True

    def leave_inert(self, inputs: Inputs, bounds: Range) -> None:
        """Find errors with which a row stays at its lower limit, where it is without them, whatever the input."""
        if self.multiplier is None:
            return
        first = first_at(bounds.low + 1, np.maximum(self.multiplier, 1))
        first = np.where(self.multiplier == 0, NEVER, first)
        # Without 0, at which no error of the weight counts.
        ends = np.array([1, inputs.high, *((inputs.low, -1) if inputs.low < 0 else ())])
        products = np.maximum(self.weight * inputs.low, self.weight * inputs.high)
        most = self.bias + products.sum(axis=1)
        for way, sign in SIGNS.items():
            right, wrong = ((weight[:, :, None] * ends).max(axis=2) for weight in (self.weight, self.weight + sign))
            others = most[:, None] - products
            self.weight_inert[way] |= others + np.maximum(right, wrong) < first[:, None]
            self.bias_inert[way] |= most + 1 < first
        for row in np.flatnonzero(most < SMALL).tolist():
            reached = np.arange(min(0, int(most[row])), max(1, int(most[row]) + 1))
            right = bounds.of(reached, self.multiplier[row])
            for way, wrong in enumerate(wrong_multipliers(self.multiplier[row])):
                self.scale_inert[way, row] |= not np.any(bounds.of(reached, wrong) != right)
        self.count_inert()

    def count_inert(self) -> None:
        self.weight_shown |= self.weight_inert
        self.bias_shown |= self.bias_inert
        self.scale_shown |= self.scale_inert

    def see(self, x: Integers, bounds: Range) -> None:
        """An input of all rows, [K], or of each row its own, [R, K]."""
        if self.complete:
            return
        accumulator = self.bias + (self.weight @ x if x.ndim == 1 else (self.weight * x).sum(axis=1))
        if self.multiplier is None:
            up = down = np.ones_like(accumulator)
        else:
            up, down = steps(accumulator, self.multiplier, bounds)
            if not self.scale_shown.all():
                right = bounds.of(accumulator, self.multiplier)
                for way, wrong in enumerate(wrong_multipliers(self.multiplier)):
                    self.scale_shown[way] |= bounds.of(accumulator, wrong) != right
        self.bias_shown[MORE] |= up <= 1
        self.bias_shown[LESS] |= down <= 1
        left = np.flatnonzero(~self.weight_shown.all(axis=(0, 2)))
        if len(left):
            inputs, rise, fall = (x if x.ndim == 1 else x[left]), up[left, None], down[left, None]
            self.weight_shown[MORE, left] |= (inputs >= rise) | (-inputs >= fall)
            self.weight_shown[LESS, left] |= (-inputs >= rise) | (inputs >= fall)

    @property
    def complete(self) -> bool:
        return bool(self.scale_shown.all() and self.bias_shown.all() and self.weight_shown.all())

    def wanted(self, way: int) -> Flags:
        """Rows in which an error this way, of some weight, the bias or the multiplier, would not show, [R]."""
        return np.asarray(~(self.weight_shown[way].all(axis=1) & self.bias_shown[way] & self.scale_shown[way]))
