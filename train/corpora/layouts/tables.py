# SPDX-License-Identifier: Apache-2.0
"""A corpus described by two tables: `speech.csv` (file, speaker, license; optional gender, accent, source, duration_s,
split) and `noise.csv` (file, category, license; optional source, duration_s, split), paths relative to their folder.

Either may stand alone, where the corpus holds one kind only. docs/corpora.md says how tables may be written.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from pathlib import Path

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.files.listing import is_foreign, recording_of
from dyncp.train.corpora.layouts.rows import Row, read_rows
from dyncp.train.corpora.recordings import Recording, Split

# What people write for each; the table of a corpus is not the place to teach them another spelling.
GENDERS = {
    **dict.fromkeys(("f", "female", "w", "woman", "girl"), "F"),
    **dict.fromkeys(("m", "male", "man", "boy"), "M"),
    **dict.fromkeys(("", "u", "unknown", "?", "-", "n/a", "na", "none", "other", "o", "x"), "U"),
}
SPLITS: dict[str, Split | None] = {
    "": None,
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}

log = logging.getLogger(__name__)


def has_tables(folder: Path) -> bool:
    return (folder / "speech.csv").is_file() or (folder / "noise.csv").is_file()


def read_tables(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """(speech, noise). Raises ConfigError naming the table, and the line and the column."""
    return (
        [_speech(row, path) for row, path in _rows(folder / "speech.csv", ("file", "speaker", "license"))],
        [_noise(row, path) for row, path in _rows(folder / "noise.csv", ("file", "category", "license"))],
    )


def _rows(table: Path, required: tuple[str, ...]) -> list[tuple[Row, Path]]:
    """Rows and the files that they name. Rows of files that macOS left among the others are left out, and said so."""
    if not table.is_file():
        return []
    found, foreign = [], []
    for row in read_rows(table, required):
        name = row.filled("file")
        if is_foreign(Path(Path(name.replace("\\", "/")).name)):
            foreign.append(name)
        else:
            found.append((row, _locate(row, name)))
    if foreign:
        log.warning("%s: %d rows left out, whose files are no audio: %s", table, len(foreign), ", ".join(foreign))
    return found


def _locate(row: Row, name: str) -> Path:
    """The file as it is named; else as the same name of another system: backslashes, accents composed or decomposed."""
    folder = row.table.parent
    forward = name.replace("\\", "/")
    for spelling in (name, forward, *(unicodedata.normalize(form, forward) for form in ("NFC", "NFD"))):
        if (folder / spelling).is_file():
            return folder / spelling
    raise ConfigError(f"{row.place}, column file: no such file: {name}")


def _speech(row: Row, path: Path) -> Recording:
    return Recording(
        path,
        row.filled("speaker"),
        row["license"],
        gender=row.one_of("gender", GENDERS),
        accent=row["accent"],
        fixed_split=row.one_of("split", SPLITS),
        origin=row.place,
    )


def _noise(row: Row, path: Path) -> Recording:
    return Recording(
        path,
        _original(row),
        row["license"],
        category=row.filled("category"),
        fixed_split=row.one_of("split", SPLITS),
        origin=row.place,
    )


def _original(row: Row) -> str:
    """The original noise recording: its Freesound number where one is stated, else the file's own name."""
    found = re.search(r"(?:fsID |freesound |/sounds/)(\d+)", row["source"] + " " + row["license"])
    return f"freesound {found[1]}" if found else recording_of(Path(row["file"].replace("\\", "/")))
