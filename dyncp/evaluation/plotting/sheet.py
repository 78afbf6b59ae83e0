# SPDX-License-Identifier: Apache-2.0
"""A table of results as text: what the terminal and a Markdown page show alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sheet:
    """`rows` hold one text per header."""

    title: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str] = ()
    """What cells refer to as (1), (2) …"""

    def markdown(self) -> str:
        """A heading of the third level, a pipe table, and its notes."""
        lines = [self.headers, tuple("---" for _ in self.headers), *self.rows]
        table = f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
        return table + "".join(f"\n({number}) {note}\n" for number, note in enumerate(self.notes, 1))


def with_notes(sheet: Sheet) -> Sheet:
    """The remarks in the last column as notes below, each said once; without any, no such column."""
    remarks = [row[-1] for row in sheet.rows]
    notes = list(dict.fromkeys(filter(None, remarks)))
    if not notes:
        return Sheet(sheet.title, sheet.headers[:-1], [row[:-1] for row in sheet.rows])
    numbers = {"": "", **{note: f"({index})" for index, note in enumerate(notes, 1)}}
    rows = [(*row[:-1], numbers[row[-1]]) for row in sheet.rows]
    return Sheet(sheet.title, sheet.headers, rows, notes)


def number(value: float | None, digits: int = 3) -> str:
    """Fixed point; a dash where there is nothing to say."""
    return "–" if value is None else f"{value:,.{digits}f}"
