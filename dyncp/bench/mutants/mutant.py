# SPDX-License-Identifier: Apache-2.0
"""One small fault in a source file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """`text[start:stop]` of a file becomes `after`."""

    text: str
    start: int
    stop: int
    after: str

    @property
    def source(self) -> str:
        """The whole file with the fault."""
        return self.text[: self.start] + self.after + self.text[self.stop :]

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.start) + 1

    @property
    def lines(self) -> tuple[str, str]:
        """The line without and with the fault, stripped."""
        number = self.line - 1
        return self.text.splitlines()[number].strip(), self.source.splitlines()[number].strip()

    def __str__(self) -> str:
        before, after = self.lines
        return f"{self.line}: {before}  →  {after}"
