# SPDX-License-Identifier: Apache-2.0
"""Rows of a CSV table as spreadsheets and scripts write it: any usual separator, a mark, blank lines, short rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.files.text import read_text

SEPARATORS = (",", ";", "\t", "|")

# Columns that hold prose.
FREE = frozenset({"license", "source"})

Value = TypeVar("Value")


@dataclass(frozen=True)
class Row:
    """One line of a table: its fields by column, without the blanks around them."""

    table: Path
    line: int
    fields: dict[str, str]

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.table}, line {self.line}"

    def __getitem__(self, column: str) -> str:
        """Empty where the table has no such column."""
        return self.fields.get(column, "")

    def filled(self, column: str) -> str:
        """A field that must not be empty. Raises ConfigError naming line and column."""
        if not self[column]:
            raise ConfigError(f"{self.place}, column {column}: is empty")
        return self[column]

    def one_of(self, column: str, values: Mapping[str, Value]) -> Value:
        """What a field's spelling stands for, capitals or not. Raises ConfigError naming line, column and spellings."""
        written = self[column].lower()
        if written not in values:
            known = ", ".join(name for name in values if name)
            raise ConfigError(f"{self.place}, column {column}: {column} is {self[column]!r}, not one of {known}")
        return values[written]


def read_rows(path: Path, required: Sequence[str]) -> list[Row]:
    """Raises ConfigError naming the table, the line and the column.

    The separator is the one with which the first line names the `required` columns. A row may end before columns that
    are not required, as Excel leaves them out; it may not hold more fields than there are columns, since then an
    unquoted separator has moved its fields, unless the last one is prose.
    """
    lines = _lines(path, required)
    number, header = next(lines, (1, []))
    columns = [name.strip().lower() for name in header]
    if missing := [name for name in required if name not in columns]:
        found = ", ".join(filter(None, columns)) or "nothing"
        raise ConfigError(f"{path}: lacks the column {', '.join(missing)}; line {number} names {found}")
    if twice := {name for name in columns if name and columns.count(name) > 1}:
        raise ConfigError(f"{path}, line {number}: names the column {', '.join(sorted(twice))} twice")
    return [_row(path, line, columns, values, required) for line, values in lines if any(map(str.strip, values))]


def _row(path: Path, line: int, columns: list[str], values: list[str], required: Sequence[str]) -> Row:
    if columns[-1] in FREE and len(values) > len(columns):
        # Of a last column that is prose, an unquoted comma has moved nothing.
        values = [*values[: len(columns) - 1], ", ".join(value.strip() for value in values[len(columns) - 1 :])]
    if any(value.strip() for value in values[len(columns) :]):
        raise ConfigError(
            f"{path}, line {line}, column {len(columns) + 1}: has {len(values)} fields, and the first line names "
            f"{len(columns)} columns; quote a field that holds the separator"
        )
    if missing := [name for name in required if columns.index(name) >= len(values)]:
        raise ConfigError(f"{path}, line {line}, column {missing[0]}: the row ends after {len(values)} fields")
    return Row(path, line, {name: value.strip() for name, value in zip(columns, values, strict=False) if name})


def _lines(path: Path, required: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row with its line's number, the columns' names first."""
    text = read_text(path)
    first, start = 1, 0
    # Excel may say the separator in a line of its own.
    if stated := re.match(r'"?sep=(.)"?\r?\n', text):
        first, start = 2, stated.end()
    names = text[start:].partition("\n")[0].lower()
    separator = stated[1] if stated else max(SEPARATORS, key=lambda s: _named(names, s, required))
    reader = csv.reader(io.StringIO(text[start:], newline=""), delimiter=separator, strict=True)
    before = first
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ConfigError(f"{path}, line {reader.line_num + first - 1}: is no row of a table: {error}") from None
        yield before, values
        before = reader.line_num + first


def _named(names: str, separator: str, required: Sequence[str]) -> int:
    fields = [field.strip().strip('"') for field in names.strip().split(separator)]
    return sum(name in fields for name in required)
