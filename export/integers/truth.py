# SPDX-License-Identifier: Apache-2.0
"""Ground truth over time as a CSV: `time_s`, and the value columns of the signals CSV that are known (docs/report.md).

One row a frame. A cell is empty where its truth is not defined: the pitch of silence, the SNR where nobody speaks.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.errors import ReportError
from dyncp.base.files import new_text
from dyncp.base.tasks import VOICE_ACTIVITY, Task
from dyncp.export.integers.signals import has_flag, value_column

TIME = "time_s"

Labels = NDArray[Any]
"""Of one task, [n]: float with NaN, or class indices with −1, where undefined."""


def write_truth(path: Path, tasks: Sequence[Task], labels: Mapping[str, Labels], framing: Framing = STANDARD) -> None:
    """The labels, by name, of voice activity and of those `tasks` whose truth is known anywhere.

    What is only told of speech is left empty where `vad` says that nobody speaks.
    """
    speech = labels[VOICE_ACTIVITY.name] == 1
    used = {task.name: _defined(labels[task.name]) & (speech if has_flag(task) else True) for task in tasks}
    known = [task for task in tasks if used[task.name].any()]
    with new_text(path, ReportError) as file:
        writer = csv.writer(file)
        writer.writerow([TIME, *(value_column(task) for task in known)])
        for frame in range(len(speech)):
            cells = [_text(task, labels[task.name][frame]) if used[task.name][frame] else "" for task in known]
            writer.writerow([f"{frame / framing.frames_per_second:.3f}", *cells])


def read_truth(path: Path, tasks: Sequence[Task], frames: int, framing: Framing = STANDARD) -> dict[str, Labels]:
    """Labels [frames] of the tasks that the file has a column for, by name.

    Raises ReportError, naming the line or column, for columns that are no task's value, rows that are not one for each
    frame, and cells that are not what their column holds.
    """
    header, rows = _read(path)
    named = {value_column(task): task for task in tasks}
    if header[:1] != [TIME] or len(set(header)) < len(header) or set(header[1:]) - named.keys():
        known = ", ".join(named) or "nothing, for the bundle has no probes"
        raise ReportError(f"{path}: columns are {', '.join(header)}; they must be {TIME} and then any of {known}")
    if len(rows) != frames:
        raise ReportError(
            f"{path}: holds {len(rows)} rows, but the audio has {frames} frames of "
            f"{1000 / framing.frames_per_second:g} ms"
        )
    labels: dict[str, Labels] = {
        column: np.full(frames, np.nan, np.float32)
        if named[column].kind == "regression"
        else np.full(frames, -1, np.int16)
        for column in header[1:]
    }
    for frame, row in enumerate(rows):
        place = f"{path}, line {frame + 2}"
        _check_row(row, header, frame / framing.frames_per_second, framing, place)
        for column, text in zip(header[1:], row[1:], strict=True):
            if text.strip():
                labels[column][frame] = _value(named[column], text.strip(), f"{place}: {column}")
    return {named[column].name: array for column, array in labels.items()}


def _defined(labels: Labels) -> NDArray[np.bool_]:
    return np.isfinite(labels) if np.issubdtype(labels.dtype, np.floating) else labels >= 0


def _text(task: Task, value: float) -> str:
    if task.kind == "regression":
        return f"{value:.6g}"
    return task.classes[int(value)] if task.classes else str(int(value))


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReportError(f"{path}: not a CSV file in UTF-8: {error}") from None
    if not lines:
        raise ReportError(f"{path}: is empty; its first line must name the columns")
    return lines[0], lines[1:]


def _check_row(row: list[str], header: list[str], expected: float, framing: Framing, place: str) -> None:
    if len(row) != len(header):
        raise ReportError(f"{place}: has {len(row)} cells, but there are {len(header)} columns")
    if not abs(_number(row[0]) - expected) < 0.5 / framing.frames_per_second:
        raise ReportError(f"{place}: {TIME} is {row[0]!r}, but this frame starts at {expected:.3f} s")


def _value(task: Task, text: str, place: str) -> float:
    if task.kind == "regression":
        if not math.isfinite(_number(text)):
            raise ReportError(f"{place} is {text!r}, not a number; leave the cell empty where it is not defined")
        return _number(text)
    names = task.classes or ["0", "1"]
    if text not in names:
        raise ReportError(f"{place} is {text!r}, not one of {', '.join(names)}; leave the cell empty where unknown")
    return float(names.index(text))


def _number(text: str) -> float:
    """NaN for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
