# SPDX-License-Identifier: Apache-2.0
"""A CSV of labels over time for a corpus's recordings, as a probe task (docs/targets.md)."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP, SAMPLE_RATE, Framing
from dyncp.base.config.reading import parse
from dyncp.base.errors import ConfigError
from dyncp.base.tasks import Task
from dyncp.train.streams.streams import Segment, Stream


@dataclass(frozen=True)
class Track:
    """The labels of one recording: each value holds from its time, in seconds, until the next; NaN is undefined."""

    times: NDArray[np.float64]
    values: NDArray[np.float64]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at these times; NaN before the first."""
        return np.concatenate([[np.nan], self.values])[np.searchsorted(self.times, times, side="right")]


@dataclass(frozen=True)
class TimedLabels:
    """The task, and one track per file, by the parts of its path. Class indices stand for text."""

    task: Task
    path: Path
    tracks: dict[tuple[str, ...], Track]

    def labels(self, stream: Stream) -> NDArray[Any]:
        """Labels [T]; NaN or −1 in frames of recordings that the CSV does not name.

        Where both the speech and the noise of a frame are named, the speech counts. Raises ConfigError where it names
        no recording of the stream.
        """
        labels = np.full(stream.frames, np.nan)
        named = [(segment, track) for segment in (*stream.noises, *stream.speech) if (track := self._track(segment))]
        if not named:
            raise ConfigError(f"{self.path}: file: names no recording of this stream; write paths as in speech.csv")
        for segment, track in named:
            frames = stream.framing.within(segment.samples, stream.frames)
            labels[frames] = track.at(_times(segment, frames, stream.framing))
        return labels if self.task.kind == "regression" else np.nan_to_num(labels, nan=-1).astype(np.int16)

    def _track(self, segment: Segment) -> Track | None:
        """The track whose path is the end of the recording's; the longest counts."""
        parts = segment.recording.path.parts
        return next((self.tracks[parts[i:]] for i in range(len(parts)) if parts[i:] in self.tracks), None)


def read_timed_labels(path: Path) -> TimedLabels:
    """Columns `file`, `time_s` and `<name>` or `<name> [unit]`. Raises ConfigError naming the line or field."""
    rows, column = _read(path)
    name, unit = _name_and_unit(path, column)
    values, kind, classes = _interpret([row[column].strip() for row in rows], unit)
    if kind == "multiclass" and not 2 <= len(classes) <= 64:
        raise ConfigError(f"{path}: {column}: has {len(classes)} different texts; a task needs 2 to 64 classes")
    task = {
        "name": name,
        "kind": kind,
        "outputs": len(classes) or 1,
        "unit": unit if kind == "regression" else "log-odds",
        "classes": classes,
    }
    return TimedLabels(parse(Task, task, f"{path}: column {column!r}"), path, _tracks(path, rows, values))


def _read(path: Path) -> tuple[list[dict[str, str]], str]:
    """The rows, and the name of the column that holds the labels."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: not a CSV file in UTF-8: {error}") from None
    labels = [column for column in columns if column not in ("file", "time_s")]
    if len(columns) != 3 or len(labels) != 1:
        found = ", ".join(columns) or "nothing"
        raise ConfigError(f"{path}: columns are {found}; they must be file, time_s and one for the labels")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ConfigError(f"{path}, line {line}: must have three fields")
    if not any(row[labels[0]].strip() for row in rows):
        raise ConfigError(f"{path}: holds no labels")
    return rows, labels[0]


def _name_and_unit(path: Path, column: str) -> tuple[str, str]:
    found = re.fullmatch(r"\s*([^\[\]]*?)\s*(?:\[([^\[\]]*)\])?\s*", column)
    if not found:
        raise ConfigError(f"{path}: column {column!r}: write `name` or `name [unit]`")
    return found[1], found[2] or ""


def _interpret(texts: Sequence[str], unit: str) -> tuple[NDArray[np.float64], str, list[str]]:
    """Values (class indices for text), the kind of task, its classes. An empty field is undefined."""
    present = sorted({text for text in texts if text})
    if set(present) <= {"0", "1"} and not unit:
        kind, index = "binary", {"0": 0.0, "1": 1.0}
    elif all(_is_number(text) for text in present):
        kind, index = "regression", {text: float(text) for text in present}
    else:
        kind, index = "multiclass", {text: float(position) for position, text in enumerate(present)}
    values = np.array([index.get(text, np.nan) for text in texts])
    return values, kind, present if kind == "multiclass" else []


def _tracks(path: Path, rows: Sequence[dict[str, str]], values: NDArray[np.float64]) -> dict[tuple[str, ...], Track]:
    points: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    for line, (row, value) in enumerate(zip(rows, values, strict=True), start=2):
        file = Path(row["file"].strip()).parts
        if not file:
            raise ConfigError(f"{path}, line {line}: file is empty")
        if not _is_number(row["time_s"]) or float(row["time_s"]) < 0:
            raise ConfigError(f"{path}, line {line}: time_s is {row['time_s']!r}, not a time in seconds")
        track = points.setdefault(file, [])
        if track and float(row["time_s"]) <= track[-1][0]:
            raise ConfigError(f"{path}, line {line}: time_s does not rise from the file's row before")
        track.append((float(row["time_s"]), value))
    return {file: Track(*np.array(track, np.float64).T) for file, track in points.items()}


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _times(segment: Segment, frames: slice, framing: Framing) -> NDArray[np.float64]:
    """Where in its recording the centre of each frame lies, of the 32 ms that end with it, s; a short one repeats."""
    import soundfile

    ends = framing.hop_laid_out * (np.arange(frames.start, frames.stop) + 1)
    samples = segment.offset + np.maximum(0, ends - HOP - segment.samples.start)
    return np.asarray(samples % soundfile.info(segment.recording.path).frames / SAMPLE_RATE)
