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

    def markdown(self) -> str:
        """A heading of the third level and a pipe table."""
        lines = [self.headers, tuple("---" for _ in self.headers), *self.rows]
        return f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def number(value: float | None, digits: int = 3) -> str:
    """Fixed point; a dash where there is nothing to say."""
    return "–" if value is None else f"{value:,.{digits}f}"
