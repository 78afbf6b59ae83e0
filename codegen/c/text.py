# SPDX-License-Identifier: Apache-2.0
"""Setting C as clang-format does with the style of this project, where templates cannot."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

WIDTH = 100


def aligned(lines: Iterable[tuple[str, str]], indent: int = 0) -> list[str]:
    """Lines of code with their comments, "" for none; comments of adjacent lines start in one column."""
    text: list[str] = []
    for commented, run in groupby(lines, key=lambda line: bool(line[1])):
        group = list(run)
        column = max(len(code) for code, _ in group)
        text += [" " * indent + (f"{code:<{column}} /* {comment} */" if commented else code) for code, comment in group]
    return text


def wrapped(head: str, arguments: list[str], tail: str) -> str:
    """`head(arguments)tail`, filled up to the line width; later lines align with the first argument."""
    lines = [f"{head}("]
    for i, argument in enumerate(arguments):
        piece = argument + (f"){tail}" if i == len(arguments) - 1 else ",")
        space = "" if i == 0 else " "
        if len(lines[-1]) + len(space + piece) <= WIDTH or i == 0:
            lines[-1] += space + piece
        else:
            lines.append(" " * (len(head) + 1) + piece)
    return "\n".join(lines)


def prototype(prefix: str, name: str, arguments: list[str]) -> str:
    """Of a public function, which gives a status, without its end."""
    return wrapped(f"{prefix}_status {prefix}_{name}", arguments, "")


def statement(head: str, *arguments: str, indent: int = 4) -> str:
    """A call as a statement of a function's body."""
    return wrapped(" " * indent + head, list(arguments), ";")
