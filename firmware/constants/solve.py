# SPDX-License-Identifier: Apache-2.0
"""Inputs that put a row's accumulator right at a value where its output changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.export.transforms.frontend import Integers, rmul
from dyncp.firmware.constants.sensitivity import (
    LESS,
    MORE,
    SIGNS,
    Flags,
    Inputs,
    Range,
    Shown,
    first_at,
    steps,
    wrong_multipliers,
)

TRIES = 40
CANDIDATES, PAIRS = 1024, 64
"""Random inputs of a depthwise row."""


def solve(
    shown: Shown, row: int, way: int, inputs: Inputs, bounds: Range, random: np.random.Generator
) -> Integers | None:
    """An input [K] of values above 0 after which one more, or LESS: one less, changes the row's output.

    Then an error of one unit in any weight of the row, or in its bias, changes it too, in the one direction; so does
    one of a thousandth in the multiplier, where the accumulator is large. None where no such input was found: of the
    row's weights some are small enough, but for degenerate rows.
    """
    if shown.multiplier is None or shown.multiplier[row] == 0:
        return None
    weight, bias, m = shown.weight[row], int(shown.bias[row]), int(shown.multiplier[row])
    low, high = (int(np.broadcast_to(bound, len(shown.weight))[row]) for bound in (bounds.low, bounds.high))
    largest = np.where(weight > 0, inputs.high, 1) @ weight + bias
    high = min(high, int(rmul(largest, m)))
    if high <= low:
        return None
    order = np.argsort(-np.abs(weight), kind="stable")
    for attempt in range(TRIES):
        x = random.integers(1, inputs.high + 1, len(weight))
        # Not near the lower end, where a multiplier hardly matters, unless nothing else is found.
        # Half of a negative end lies above it.
        least = low + 1 if attempt > TRIES // 2 else max(low + 1, min(high, high // 2))
        target = int(random.integers(least, high + 1))
        accumulator = int(first_at(target, np.array(m))) - (1 if way == MORE else 0)
        if _move(x, weight, order, accumulator - int(weight @ x + bias), inputs.high):
            return x
    return None


def _move(x: Integers, weight: Integers, order: NDArray[np.intp], by: int, most: int) -> bool:
    """Change x, within 1 to `most`, so that its product with `weight` moves `by` so much; whether that succeeded."""
    for k in order.tolist():
        w = int(weight[k])
        if w == 0 or by == 0:
            break
        step = int(by / w)
        step = max(1 - int(x[k]), min(most - int(x[k]), step))
        x[k] += step
        by -= step * w
    return by == 0


def solve_taps(shown: Shown, inputs: Inputs, bounds: Range, random: np.random.Generator) -> list[Integers]:
    """For a depthwise layer, whose rows have inputs of their own, [R, K] each: until every error shows that can.

    What is found for both directions; for rows for which that is not enough, every sum that inputs can have is tried.
    Errors that show in none of them are inert.
    """
    rows = range(len(shown.weight))
    chosen = [np.stack([_solve_row(shown, row, way, inputs, bounds, random) for row in rows]) for way in (MORE, LESS)]
    for taps in chosen:
        shown.see(taps, bounds)
    left = np.flatnonzero(shown.wanted(MORE) | shown.wanted(LESS)).tolist()
    if not left:
        return chosen
    found = {row: _try_all(shown, row, inputs, bounds) for row in left}
    for again in range(max(map(len, found.values()))):
        taps = chosen[0].copy()
        for row, inputs_of_row in found.items():
            taps[row] = inputs_of_row[min(again, len(inputs_of_row) - 1)] if inputs_of_row else taps[row]
        shown.see(taps, bounds)
        chosen.append(taps)
    return chosen


def _try_all(shown: Shown, row: int, inputs: Inputs, bounds: Range) -> list[Integers]:
    """Inputs, of all that there are, for the errors of a row that did not show yet; those that cannot become inert."""
    assert shown.multiplier is not None
    weight, m, found, values = shown.weight[row], shown.multiplier[row], list[Integers](), inputs.values
    whole = Sums(weight, values)
    accumulators = int(shown.bias[row]) + whole.sums
    right = bounds.of(accumulators, m)

    def try_error(flag: Flags, inert: Flags, differs: Flags) -> None:
        """`differs` [sums]: whether the error shows at each."""
        if not flag:
            inert[...] = not differs.any()
            if differs.any():
                found.append(whole.inputs(int(whole.sums[np.argmax(differs)])))

    def try_weight(flag: Flags, inert: Flags, k: int, sign: int) -> None:
        if flag:
            return
        others = Sums(np.delete(weight, k), values)
        for value in values.tolist():
            at = int(shown.bias[row]) + others.sums + int(weight[k]) * value
            differs = bounds.of(at + sign * value, m) != bounds.of(at, m)
            if differs.any():
                found.append(np.insert(others.inputs(int(others.sums[np.argmax(differs)])), k, value))
                inert[...] = False
                return
        inert[...] = True

    one = slice(row, row + 1)
    for way, sign in SIGNS.items():
        for k in range(len(weight)):
            try_weight(shown.weight_shown[way, row, k], shown.weight_inert[way, row, k : k + 1], k, sign)
        moved = bounds.of(accumulators + sign, m) != right
        try_error(shown.bias_shown[way, row], shown.bias_inert[way, one], moved)
        scaled = bounds.of(accumulators, wrong_multipliers(m)[way]) != right
        try_error(shown.scale_shown[way, row], shown.scale_inert[way, one], scaled)
    shown.count_inert()
    return found


class Sums:
    """Σ_k weight[k] · x[k] of all inputs x [K] that are made of `values`: far fewer than inputs."""

    def __init__(self, weight: Integers, values: Integers) -> None:
        self._weight, self._values = weight.tolist(), values
        # By number of taps: the sums of the first of them, from none on.
        self._of_first = [np.zeros(1, np.int64)]
        for w in self._weight:
            before, steps = self._of_first[-1], w * values
            least = int(before[0] + steps.min())
            reached = np.zeros(int(before[-1] + steps.max()) - least + 1, np.bool_)
            for step in steps.tolist():
                reached[before + step - least] = True
            self._of_first.append(np.flatnonzero(reached) + least)

    @property
    def sums(self) -> Integers:
        """Each once, in order."""
        return self._of_first[-1]

    def inputs(self, total: int) -> Integers:
        """The first inputs, from the last tap on, with this sum."""
        x = []
        for w, before in zip(reversed(self._weight), reversed(self._of_first[:-1]), strict=True):
            x.append(int(self._values[np.argmax(np.isin(total - w * self._values, before))]))
            total -= w * x[-1]
        return np.array(x[::-1], dtype=np.int64)


def _solve_row(
    shown: Shown, row: int, way: int, inputs: Inputs, bounds: Range, random: np.random.Generator
) -> Integers:
    """All taps but one are random, it is what is left, where that comes out whole; else the nearest of many random."""
    assert shown.multiplier is not None
    weight, bias, m = shown.weight[row], int(shown.bias[row]), max(1, int(shown.multiplier[row]))
    target = np.arange(int(bounds.low) + 1, int(bounds.high) + 1)
    goal = first_at(target, np.array(m)) - (1 if way == MORE else 0)
    for free in np.argsort(np.abs(weight), kind="stable").tolist():
        if weight[free] == 0:
            continue
        taps = _many(weight, inputs, PAIRS, random)
        taps[:, free] = 0
        left = goal - (taps @ weight + bias)[:, None]
        tap = left // weight[free]
        pairs, targets = np.nonzero((tap * weight[free] == left) & (tap >= 1) & (tap <= inputs.high))
        if len(pairs):
            # Where the output is largest, the multiplier counts most.
            best = int(np.argmax(targets))
            found: Integers = taps[pairs[best]]
            found[free] = tap[pairs[best], targets[best]]
            return found
    taps = _many(weight, inputs, CANDIDATES, random)
    distance = steps(taps @ weight + bias, np.full(CANDIDATES, m), bounds)[way]
    return np.asarray(taps[np.argmin(distance)])


def _many(weight: Integers, inputs: Inputs, count: int, random: np.random.Generator) -> Integers:
    """Random inputs of a row, half of them where its sum is large: some rows are seldom above their lower limit."""
    taps = random.integers(1, inputs.high + 1, (count, len(weight)))
    near = random.integers(1, 1 + inputs.high // 16, (count // 2, len(weight)))
    taps[::2] = np.where(weight > 0, inputs.high + 1 - near, near)
    return taps
