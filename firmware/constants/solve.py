# SPDX-License-Identifier: Apache-2.0
"""Inputs that put a row's accumulator right at a value where its output changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

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
    """For a depthwise layer, whose rows have inputs of their own, [R, 3] each: until every error shows that can.

    What is found for both directions; for rows for which that is not enough, all inputs are tried. Errors that show in
    none of them are inert.
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
    weight, m, found = shown.weight[row], shown.multiplier[row], []
    values = np.arange(inputs.low, inputs.high + 1)
    taps = [values.reshape(np.roll((-1, 1, 1), k)) for k in range(3)]
    accumulator = sum((int(w) * tap for w, tap in zip(weight, taps, strict=True)), np.int64(shown.bias[row]))
    # By table: there are far fewer sums than inputs.
    least = int(accumulator.min()) - 128
    sums = np.arange(least, int(accumulator.max()) + 129)
    at, outputs = accumulator - least, bounds.of(sums, m).astype(np.int16)
    right = outputs[at]

    def try_error(flag: Flags, inert: Flags, wrong: Callable[[], NDArray[np.int16]]) -> None:
        if not flag:
            differs = wrong() != right
            place = np.unravel_index(np.argmax(differs), right.shape)
            inert[...] = not differs[place]
            if differs[place]:
                found.append(values[np.array(place)])

    one = slice(row, row + 1)
    for way, sign in SIGNS.items():
        for k, tap in enumerate(taps):
            flag, inert = shown.weight_shown[way, row, k], shown.weight_inert[way, row, k : k + 1]
            try_error(flag, inert, partial(lambda by: outputs[at + by], sign * tap))
        try_error(shown.bias_shown[way, row], shown.bias_inert[way, one], partial(lambda by: outputs[at + by], sign))
        other = bounds.of(sums, wrong_multipliers(m)[way]).astype(np.int16)
        try_error(shown.scale_shown[way, row], shown.scale_inert[way, one], partial(lambda lut: lut[at], other))
    shown.count_inert()
    return found


def _solve_row(
    shown: Shown, row: int, way: int, inputs: Inputs, bounds: Range, random: np.random.Generator
) -> Integers:
    """Two taps are random, one is what is left, where it comes out whole; else all are random, the nearest of many."""
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
