# SPDX-License-Identifier: Apache-2.0
"""What little additions to the plain masks probe gain, and what they cost on the device (beyond arXiv 2602.10666).

Every row is scored on the test stream and compared with the plain probe of the same task: α = 0.01, the masks of the
frame itself, no class weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.config.reading import StrictModel
from dyncp.base.scores import Score, score
from dyncp.base.tasks import Task
from dyncp.evaluation.context.temporal import Bits, Words, flips, late, majority, one_pole, with_past, without_priors
from dyncp.evaluation.plotting.sheet import Sheet, number
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.features import STRONGEST
from dyncp.train.probes.linear import ALPHA, LinearProbe, fit

POLES = (1, 2, 3, 4, 5)
VOTES = (3, 5, 9)
PASTS = ((16,), (4, 8, 16, 32))
LATENCIES = (4, 8, 12)
ALPHAS = (0.001, 0.1, 1.0)
MINUTES = (5, 10, 20, 30)


class ContextRow(StrictModel):
    """One addition to one task's plain probe."""

    task: str
    variant: str
    score: Score
    gain: float | None
    """In balanced accuracy (classes) or R² (regression), over the plain probe."""
    added_operations: float
    """Additions, shifts and comparisons per frame of 16 ms, in the mean."""
    added_bytes: int
    """State."""
    added_weights: int
    latency_frames: int = 0


class ContextRows(StrictModel):
    """`context.json`."""

    rows: list[ContextRow]


@dataclass(frozen=True)
class _Side:
    """One split, as one task's probe sees it."""

    masks: Bits
    labels: NDArray[np.generic]
    used: Bits


@dataclass(frozen=True)
class _Plain:
    """The plain probe of one task, and what every row is compared with."""

    task: Task
    train: _Side
    test: _Side
    probe: LinearProbe
    words: Words
    merit: float | None

    def row(self, variant: str, words: Words, operations: float = 0.0, state: int = 0) -> ContextRow:
        """A row whose words stand for the same frames and labels as the plain probe's."""
        return self._row(variant, score(words, self.test.labels, self.test.used, self.task), operations, state)

    def refitted(
        self, variant: str, train: _Side, test: _Side, state: int = 0, *, balanced: bool = False, alpha: float = ALPHA
    ) -> ContextRow:
        """A row whose probe is fitted anew; its operations follow from the bits that flip."""
        probe = fit(train.masks, train.labels, train.used, self.task, balanced, alpha)
        result = score(probe.words(test.masks), test.labels, test.used, self.task)
        outputs = self.task.outputs
        operations = outputs * (flips(test.masks[:, probe.kept]) - flips(self.test.masks[:, self.probe.kept]))
        weights = outputs * int(probe.kept.sum() - self.probe.kept.sum())
        return self._row(variant, result, operations, state).model_copy(update={"added_weights": weights})

    def _row(self, variant: str, result: Score, operations: float, state: int) -> ContextRow:
        merit = figure_of_merit(result)
        return ContextRow(
            task=self.task.name,
            variant=variant,
            score=result,
            gain=None if merit is None or self.merit is None else merit - self.merit,
            added_operations=operations,
            added_bytes=state,
            added_weights=0,
        )


def context_rows(train: ProbeData, test: ProbeData) -> list[ContextRow]:
    """All rows of all tasks."""
    return [row for task in train.tasks for row in task_rows(train, test, task)]


def task_rows(train: ProbeData, test: ProbeData, task: Task) -> list[ContextRow]:
    """The rows of one task, the plain probe first."""
    plain = _plain(_side(train, task), _side(test, task), task)
    rows = [plain.row("plain", plain.words), *_smoothed(plain), *_past(plain), *_late(plain)]
    return rows + list(_priors(plain)) + list(_penalties(plain)) + list(_learning(plain))


def figure_of_merit(result: Score) -> float | None:
    """Balanced accuracy of classes, R² of a regression."""
    return result.r2 if result.balanced_accuracy is None else result.balanced_accuracy


def context_sheet(rows: list[ContextRow]) -> Sheet:
    """Scores, gain, and cost; MAE in the task's unit."""
    headers = ("task", "variant", "balanced accuracy or R²", "gain", "accuracy", "AUC", "MAE")
    cost = ("operations per frame", "state bytes", "weights", "latency, frames")
    cells = [
        (
            row.task,
            row.variant,
            number(figure_of_merit(row.score)),
            "–" if row.gain is None else f"{row.gain:+.3f}",
            number(row.score.accuracy),
            number(row.score.auc),
            number(row.score.mae, 2),
            f"{round(row.added_operations, 1) + 0.0:+.1f}",
            f"{row.added_bytes:+,}",
            f"{row.added_weights:+,}",
            str(row.latency_frames),
        )
        for row in rows
    ]
    return Sheet("Temporal context, priors and penalties: gain against added cost", (*headers, *cost), cells)


def _side(data: ProbeData, task: Task) -> _Side:
    return _Side(data.observation.masks.reshape(data.observation.frames, -1), data.labels[task.name], data.used(task))


def _plain(train: _Side, test: _Side, task: Task) -> _Plain:
    probe = fit(train.masks, train.labels, train.used, task)
    words = probe.words(test.masks)
    return _Plain(task, train, test, probe, words, figure_of_merit(score(words, test.labels, test.used, task)))


def _smoothed(plain: _Plain) -> Iterator[ContextRow]:
    """One-pole: six operations and an int32 per output. Votes: a ring of decisions, one count up and one down."""
    outputs = plain.task.outputs
    for k in POLES:
        yield plain.row(f"one-pole, k = {k}", one_pole(plain.words, k), 6 * outputs, 4 * outputs)
    if plain.task.kind != "regression":
        for n in VOTES:
            words = majority(plain.words, plain.task, n)
            yield plain.row(f"majority of {n}", words, 2 + outputs, n + outputs)


def _past(plain: _Plain) -> Iterator[ContextRow]:
    """Past bits of the plain probe's strongest channels, which wait in a ring of packed bits."""
    strength = np.linalg.norm(plain.probe.weight, axis=1)
    columns = np.sort(np.argsort(-strength, kind="stable")[:STRONGEST])
    for delays in PASTS:
        sides = (plain.train, plain.test)
        train, test = (replace(side, masks=with_past(side.masks, delays, columns)) for side in sides)
        name = f"{len(columns)} strongest bits of t − " + ", ".join(map(str, delays))
        yield plain.refitted(name, train, test, state=-(-len(columns) // 8) * max(delays))


def _late(plain: _Plain) -> Iterator[ContextRow]:
    """Answers about the past: the gates average over 43 frames. What the device says then arrives later."""
    for frames in LATENCIES:
        train, test = (_delayed(side, frames) for side in (plain.train, plain.test))
        row = plain.refitted(f"answer {frames} frames late", train, test)
        yield row.model_copy(update={"latency_frames": frames})


def _delayed(side: _Side, frames: int) -> _Side:
    return _Side(side.masks, *late(side.labels, side.used, frames))


def _priors(plain: _Plain) -> Iterator[ContextRow]:
    if plain.task.kind == "regression":
        return
    yield plain.refitted("balanced class weights", plain.train, plain.test, balanced=True)
    adjusted = without_priors(plain.words, plain.train.labels, plain.train.used, plain.task)
    yield plain.row("logit adjustment by training priors", adjusted)


def _penalties(plain: _Plain) -> Iterator[ContextRow]:
    for alpha in ALPHAS:
        yield plain.refitted(f"α = {alpha:g}", plain.train, plain.test, alpha=alpha)


def _learning(plain: _Plain) -> Iterator[ContextRow]:
    """Fitted on the first minutes only."""
    for minutes in MINUTES:
        frames = minutes * 60 * SAMPLE_RATE // HOP
        if frames < len(plain.train.used) and plain.train.used[:frames].any():
            first = replace(plain.train, used=plain.train.used & (np.arange(len(plain.train.used)) < frames))
            yield plain.refitted(f"fitted on {minutes} minutes", first, plain.test)
