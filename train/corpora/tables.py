# SPDX-License-Identifier: Apache-2.0
"""A corpus described by two tables: `speech.csv` (file, speaker, license; optional gender, accent, source, duration_s,
split) and `noise.csv` (file, category, license; optional source, duration_s, split), paths relative to their folder.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import cast, get_args

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.recordings import Recording, Split


def has_tables(folder: Path) -> bool:
    return (folder / "speech.csv").is_file() and (folder / "noise.csv").is_file()


def read_tables(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """(speech, noise). Raises ConfigError naming the table, and the line or the column."""
    speech = [_speech(folder, row) for row in _rows(folder / "speech.csv", {"file", "speaker", "license"})]
    noise = [_noise(folder, row) for row in _rows(folder / "noise.csv", {"file", "category", "license"})]
    return speech, noise


def _rows(path: Path, required: set[str]) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := required - set(reader.fieldnames or ()):
            raise ConfigError(f"{path}: lacks the column {', '.join(sorted(missing))}")
        rows = list(reader)
    for line, row in enumerate(rows, start=2):
        if not (path.parent / row["file"]).is_file():
            raise ConfigError(f"{path}, line {line}: no such file: {row['file']}")
        if row.get("split", "") not in ("", *get_args(Split)):
            raise ConfigError(f"{path}, line {line}: split is {row['split']!r}, not one of {get_args(Split)}")
    return rows


def _speech(folder: Path, row: dict[str, str]) -> Recording:
    return Recording(
        folder / row["file"],
        row["speaker"],
        row["license"],
        gender=row.get("gender", "U"),
        accent=row.get("accent", ""),
        fixed_split=_split(row),
    )


def _noise(folder: Path, row: dict[str, str]) -> Recording:
    return Recording(
        folder / row["file"],
        _original(row),
        row["license"],
        category=row["category"],
        fixed_split=_split(row),
    )


def _split(row: dict[str, str]) -> Split | None:
    return cast(Split, row["split"]) if row.get("split") else None


def _original(row: dict[str, str]) -> str:
    """The original noise recording: its Freesound number where one is stated, else the file's own name."""
    found = re.search(r"(?:fsID |freesound |/sounds/)(\d+)", row.get("source", "") + " " + row["license"])
    return f"freesound {found[1]}" if found else Path(row["file"]).stem
