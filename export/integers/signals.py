# SPDX-License-Identifier: Apache-2.0
"""Signals in engineering units: what the members of `dyncp_signals` mean, for tables and plots on the host."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.tasks import Task
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.probe_set import ProbeTask
from dyncp.export.integers.readout import speech_valid


@dataclass(frozen=True)
class Signal:
    """One task over n frames."""

    task: ProbeTask
    values: NDArray[np.float64]
    """Scores in log-odds, or the value in the task's unit, [n, outputs]."""
    valid: NDArray[np.bool_]
    """Whether each frame's value means something, [n]; the struct has a flag where it may not."""

    @property
    def decisions(self) -> NDArray[np.int64] | None:
        """0 or 1 of a binary task, the class index of a multiclass one, [n]; None where nothing is decided."""
        if self.task.kind == "regression":
            return None
        decided = self.values[:, 0] > 0 if self.task.kind == "binary" else self.values.argmax(axis=1)
        return np.asarray(decided, np.int64)


def read_out(bundle: Bundle, words: NDArray[np.int32], before: int = 0) -> list[Signal]:
    """The signals of consecutive frames, `words` being their `Run.signals`, int32 [n, O].

    The stream had `before` frames since its initial state, none by default.
    """
    if bundle.probes is None:
        return []
    valid = validity(bundle, words, before)
    return [
        Signal(task, words[:, columns] / 2.0**task.q, valid[:, place])
        for place, (task, columns) in enumerate(zip(bundle.probes.tasks, bundle.probes.columns, strict=True))
    ]


def validity(bundle: Bundle, words: NDArray[np.int32], before: int) -> NDArray[np.bool_]:
    """Where each task's signal is valid, bool [n, tasks], as the device says it (docs/arithmetic.md, section 9)."""
    assert bundle.probes is not None
    speech = speech_valid(words, bundle.probes, bundle.config.warm_up - before)
    everywhere = np.ones(len(words), np.bool_)
    return np.stack([speech if has_flag(task) else everywhere for task in bundle.probes.tasks], axis=1)


def has_flag(task: Task) -> bool:
    """Whether the task's signal comes with a validity flag."""
    return task.frames == "speech"


def value_column(task: Task) -> str:
    """The column of a task's value: `snr_in_db`, `f0_hz`; of a decision: the task's name."""
    unit = _plain(task.unit) if task.kind == "regression" else ""
    return f"{task.name}_{unit}" if unit else task.name


def columns(tasks: Sequence[Task]) -> list[str]:
    """Names of the columns that `rows` fills: for each task its scores, its value or decision, its validity flag."""
    names = []
    for task in tasks:
        if task.kind == "binary":
            names.append(f"{task.name}_score")
        names += [f"{task.name}_score_{label}" for label in _labels(task.classes)]
        names.append(value_column(task))
        if has_flag(task):
            names.append(f"{task.name}_valid")
    return names


def rows(signals: Sequence[Signal], frames: int) -> Iterator[list[str]]:
    """The texts of the columns of the first `frames` frames; a class is told by its name."""
    cells = [_cells(signal) for signal in signals]
    for _ in range(frames):
        yield [text for task in cells for text in next(task)]


def _cells(signal: Signal) -> Iterator[list[str]]:
    task, decisions = signal.task, signal.decisions
    for frame, outputs in enumerate(signal.values):
        cells = [f"{value:.6g}" for value in outputs]
        if decisions is not None:
            decided = int(decisions[frame])
            cells.append(task.classes[decided] if task.classes else str(decided))
        if has_flag(task):
            cells.append(str(int(signal.valid[frame])))
        yield cells


def _labels(classes: Sequence[str]) -> list[str]:
    """Class names as parts of column names, told apart by a number where nothing else is left of them."""
    labels: list[str] = []
    for index, name in enumerate(classes):
        label = _plain(name) or str(index)
        while label in labels:
            label += f"_{index}"
        labels.append(label)
    return labels


def _plain(text: str) -> str:
    """Lower-case letters and digits, single underscores between them."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
