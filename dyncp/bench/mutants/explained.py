# SPDX-License-Identifier: Apache-2.0
"""Faults that no test can notice, for the program does the same with them: read from a list with a reason for each."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dyncp.bench.mutants.mutant import Mutant

LIST = Path("tests/mutants/explained.toml")
"""Of a checkout."""


@dataclass(frozen=True)
class Explained:
    """The line without and with the fault, stripped: line numbers would not outlive a change elsewhere in the file."""

    file: str
    before: str
    after: str
    reason: str

    def tells_of(self, path: str, fault: Mutant) -> bool:
        return (self.file, self.before, self.after) == (path, *fault.lines)


def read_explained(path: Path) -> list[Explained]:
    """Raises ValueError for an entry with other fields, or without a reason."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("fault", [])
    for entry in entries:
        if entry.keys() != {"file", "before", "after", "reason"} or not all(
            str(value).strip() for value in entry.values()
        ):
            raise ValueError(f"{path}: an entry has file, before, after and a reason: {entry}")
    return [Explained(**entry) for entry in entries]


def reason(explained: Collection[Explained], path: str, fault: Mutant) -> str | None:
    """Why this fault changes nothing, if it is known."""
    return next((entry.reason for entry in explained if entry.tells_of(path, fault)), None)
