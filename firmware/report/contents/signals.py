# SPDX-License-Identifier: Apache-2.0
"""Signals over time against ground truth, in the few points that a figure can show: the report's `signals`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dyncp.base.config.reading import StrictModel
from dyncp.base.scores import Score, score
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.signals import Signal, read_out

MOST_POINTS = 2000

Labels = NDArray[Any]


class TraceReport(StrictModel):
    """One task. Lists have one entry a point; `values` and `truth` of numbers hold each stretch's extremes."""

    name: str
    kind: Literal["binary", "multiclass", "regression"]
    unit: str
    classes: list[str]
    values: list[float] | None = Field(description="score or value in `unit`; null for a multiclass task")
    decisions: list[int] | None = Field(description="0 or 1, or the class's index; null for a regression")
    valid: list[bool] = Field(description="whether the estimate means something")
    truth: list[int | None] | list[float | None] | None = Field(
        description="0 or 1, class index or value; null where not defined"
    )
    score: Score | None = Field(description="on all frames that are valid and whose truth is defined")


class SignalsReport(StrictModel):
    """Everything that the device tells over time. Point i begins at i · step_s."""

    step_s: float
    frames_per_point: int
    active: list[int] = Field(description="active channels")
    macs: list[int] = Field(description="multiply–accumulates")
    traces: list[TraceReport]

    @property
    def seconds(self) -> float:
        return len(self.macs) * self.step_s


def report_signals(
    bundle: Bundle,
    words: NDArray[np.int32],
    active: NDArray[np.int64],
    macs: NDArray[np.int64],
    truth: Mapping[str, Labels],
) -> SignalsReport:
    """Of a whole run from the initial state: `words` is its `Run.signals` [n, O]; `active` and `macs` are [n].

    `truth` has the labels [n] of the tasks whose truth is known.
    """
    thinning = Thinning(len(words))
    return SignalsReport(
        step_s=thinning.frames_per_point / bundle.config.framing.frames_per_second,
        frames_per_point=thinning.frames_per_point,
        active=thinning.extremes(active).astype(np.int64).tolist(),
        macs=thinning.extremes(macs).astype(np.int64).tolist(),
        traces=[_trace(signal, truth.get(signal.task.name), thinning) for signal in read_out(bundle, words)],
    )


class Thinning:
    """From n frames to at most `MOST_POINTS` points: two for each stretch of frames, or the frames themselves."""

    def __init__(self, frames: int) -> None:
        self.frames_per_point = -(-frames // MOST_POINTS)

    def extremes(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Minimum and maximum of each stretch, in the order in which they occur; NaN where all of it is."""
        numbers = values.astype(np.float64)
        if self.frames_per_point == 1:
            return numbers
        stretches = self._stretches(numbers)
        places = np.stack(
            [
                np.where(np.isnan(stretches), np.inf, stretches).argmin(axis=1),
                np.where(np.isnan(stretches), -np.inf, stretches).argmax(axis=1),
            ],
            axis=1,
        )
        return np.take_along_axis(stretches, np.sort(places, axis=1), axis=1).ravel()

    def commonest(self, classes: NDArray[Any]) -> NDArray[np.int64]:
        """The class, −1 or more, that most frames of each stretch have."""
        whole = classes.astype(np.int64)
        if self.frames_per_point == 1:
            return whole
        stretches = self._stretches(whole)
        counts = np.stack([(stretches == k).sum(axis=1) for k in range(-1, int(whole.max()) + 1)], axis=1)
        return np.repeat(counts.argmax(axis=1) - 1, 2)

    def _stretches(self, values: NDArray[Any]) -> NDArray[Any]:
        length = 2 * self.frames_per_point
        return np.pad(values, (0, -len(values) % length), mode="edge").reshape(-1, length)


def _trace(signal: Signal, labels: Labels | None, thinning: Thinning) -> TraceReport:
    task, decisions = signal.task, signal.decisions
    return TraceReport(
        name=task.name,
        kind=task.kind,
        unit=task.unit,
        classes=task.classes,
        values=None if task.kind == "multiclass" else _rounded(thinning.extremes(signal.values[:, 0])),
        decisions=None if decisions is None else thinning.commonest(decisions).tolist(),
        valid=(thinning.commonest(signal.valid) == 1).tolist(),
        truth=None if labels is None else _truth(signal, labels, thinning),
        score=None if labels is None else _score(signal, labels),
    )


def _truth(signal: Signal, labels: Labels, thinning: Thinning) -> list[int | None] | list[float | None]:
    if signal.task.kind == "regression":
        return [None if np.isnan(value) else value for value in _rounded(thinning.extremes(labels))]
    return [None if label < 0 else label for label in thinning.commonest(labels).tolist()]


def _score(signal: Signal, labels: Labels) -> Score | None:
    defined = np.isfinite(labels) if signal.task.kind == "regression" else labels >= 0
    used = signal.valid & defined
    return score(signal.values, labels, used, signal.task) if used.any() else None


def _rounded(values: NDArray[np.float64]) -> list[float]:
    """To what a figure can show, so that the JSON stays small."""
    return [float(f"{value:.5g}") for value in values]
