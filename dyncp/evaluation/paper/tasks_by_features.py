# SPDX-License-Identifier: Apache-2.0
"""Fig. 3: every task read from every feature set, fitted on the training stream, scored on the test stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ProbeError
from dyncp.base.figure_style import INK, MUTED
from dyncp.base.scores import Score, score
from dyncp.base.tasks import Task
from dyncp.evaluation.paper.results import TaskRow
from dyncp.evaluation.plotting import plots
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.features import FEATURE_SETS, feature_matrix
from dyncp.train.probes.linear import LinearProbe, fit
from dyncp.train.probes.observation import Observation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = NDArray[Any]

FLOAT_MASKS = "float_masks"
# Feature sets in the order of the paper's legend, with the names that the figures show.
LABELS = {
    "masks": "masks",
    "first_two_blocks": "masks, first two blocks",
    "top64": "masks, 64 strongest",
    FLOAT_MASKS: "masks of the float network",
    "scores": "raw gate scores",
    "spectrum": "noisy log spectrum",
    "suppression": "suppression mask",
}
# The sets that are bits, and so cost no multiplication.
BINARY = ("masks", "first_two_blocks", "top64", FLOAT_MASKS)
PALE = "#9fb4c4"
LEAST_R2 = -0.25
KEY = "bar: balanced accuracy, or R² of quantities (blue: bits, grey: numbers)  ◆ ROC-AUC  dashed: chance  //: cut off"


@dataclass(frozen=True)
class Fitted:
    """The probes of all tasks on one feature set; `reasons` says why a task has none."""

    probes: dict[str, LinearProbe]
    reasons: dict[str, str]


def fit_tasks(values: Values, data: ProbeData, strongest: int | None = None) -> Fitted:
    """Fit each task on values [T, F] of the frames that it uses; `strongest` as in `dyncp.train.probes.linear.fit`."""
    probes, reasons = {}, {}
    for task in data.tasks:
        try:
            probes[task.name] = fit(values, data.labels[task.name], data.used(task), task, strongest=strongest)
        except ProbeError as error:
            reasons[task.name] = str(error)
    return Fitted(probes, reasons)


def score_tasks(name: str, fitted: Fitted, values: Values, data: ProbeData) -> list[TaskRow]:
    """One row per task, of probes on values [T, F] of a stream they were not fitted on."""
    return [_score_task(name, fitted, values, data, task) for task in data.tasks]


def _score_task(name: str, fitted: Fitted, values: Values, data: ProbeData, task: Task) -> TaskRow:
    probe = fitted.probes.get(task.name)
    if probe is None:
        return TaskRow(task=task.name, features=name, dimensions=0, score=None, reason=fitted.reasons[task.name])
    dimensions, used = int(probe.kept.sum()), data.used(task)
    try:
        result = score(probe.words(values), data.labels[task.name], used, task)
    except ProbeError as error:
        return TaskRow(task=task.name, features=name, dimensions=dimensions, score=None, reason=str(error))
    return TaskRow(task=task.name, features=name, dimensions=dimensions, score=result)


@dataclass(frozen=True)
class Compared:
    """Both streams, and what the float network shows on them, None where there is no float network to compare with."""

    train: ProbeData
    test: ProbeData
    float_train: Observation | None
    float_test: Observation | None
    config: NetworkConfig

    def values(self, name: str) -> tuple[Values, Values]:
        """Training and test values [T, F] of a feature set of `LABELS`."""
        if name == FLOAT_MASKS:
            assert self.float_train is not None
            assert self.float_test is not None
            return flat_masks(self.float_train), flat_masks(self.float_test)
        train, test = (feature_matrix(name, data.observation, self.config) for data in (self.train, self.test))
        return train.values, test.values

    def fit(self, name: str) -> Fitted:
        """The probes of all tasks on one feature set of the training stream."""
        strongest = FEATURE_SETS[name].strongest if name in FEATURE_SETS else None
        return fit_tasks(self.values(name)[0], self.train, strongest)

    def score(self, name: str, fitted: Fitted) -> list[TaskRow]:
        """Their rows on the test stream."""
        return score_tasks(name, fitted, self.values(name)[1], self.test)


def flat_masks(observation: Observation) -> NDArray[np.bool_]:
    """All mask bits of a frame side by side, [T, blocks · N]."""
    return observation.masks.reshape(observation.frames, -1)


def headline(result: Score) -> float | None:
    """What the figure shows: balanced accuracy for classes, R² for quantities."""
    return result.r2 if result.balanced_accuracy is None else result.balanced_accuracy


def draw_tasks_by_features(rows: Sequence[TaskRow], tasks: Sequence[Task], folder: Path) -> None:
    """One panel of bars per task: tasks_by_features.png and .svg."""
    columns = min(3, len(tasks))
    height = 0.6 + 1.95 * -(-len(tasks) // columns)
    with plots.drawn(folder, "tasks_by_features", 1.6 + 2.8 * columns, height) as figure:
        for axes, task in zip(plots.panels(figure, len(tasks), columns, sharey=True), tasks, strict=True):
            _panel(axes, [row for row in rows if row.task == task.name], task)
        figure.supxlabel(KEY, color=MUTED, fontsize=8.5)


def _panel(axes: Axes, rows: Sequence[TaskRow], task: Task) -> None:
    axes.set_title(plots.title(task.name))
    names = list(LABELS)
    axes.set_yticks(range(len(names)), list(LABELS.values()), color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    # Every R² on the same axis; what lies to its left is cut off there, and its number says so.
    low = LEAST_R2 if task.kind == "regression" else 0.0
    axes.set_xlim(low, 1.0)
    axes.set_xticks(np.arange(low, 1.01, 0.25), [f"{tick:g}".replace("-", "−") for tick in np.arange(low, 1.01, 0.25)])
    if task.kind != "regression":
        axes.axvline(1 / max(2, task.outputs), color=MUTED, linestyle="--", linewidth=0.9)
    for row in rows:
        _bar(axes, names.index(row.features), row)


def _bar(axes: Axes, y: int, row: TaskRow) -> None:
    value = None if row.score is None else headline(row.score)
    if value is None or row.score is None:
        axes.text(0.02, y, "not defined here", va="center", color=MUTED, fontsize=7.5)
        return
    colour = plots.COLOURS[0] if row.features in BINARY else PALE
    low = axes.get_xlim()[0]
    axes.barh(y, max(value, low), height=0.68, color=colour)
    if value < low:
        box = {"facecolor": axes.get_facecolor(), "edgecolor": "none", "pad": 0.4}
        axes.text(low / 2, y, "//", ha="center", va="center", fontsize=8, color=INK, bbox=box)
    if row.score.auc is not None:
        axes.plot(row.score.auc, y, marker="D", markersize=3.6, color=plots.ESTIMATE, linestyle="none", zorder=3)
    text = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")
    axes.annotate(
        text, (1.0, y), (4, 0), xycoords="data", textcoords="offset points", va="center", fontsize=7.5,
        color=INK, annotation_clip=False,
    )  # fmt: skip
