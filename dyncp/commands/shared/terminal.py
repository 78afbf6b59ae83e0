# SPDX-License-Identifier: Apache-2.0
"""What commands tell: results on standard output, progress and remarks on standard error, warnings past `--quiet`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import rich
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from dyncp.evaluation.plotting.sheet import Sheet


def set_quiet(quiet: bool) -> None:
    """Whether consoles made from now on stay silent: no progress, no tables, no notes.

    Kept in rich's own console, where rooms that know nothing of the command line find it.
    """
    rich.reconfigure(stderr=True, quiet=quiet)


class Terminal(Console):
    """A console on standard error for progress and remarks, with another one for results."""

    def __init__(self, quiet: bool, json_output: bool) -> None:
        super().__init__(stderr=True, quiet=quiet)
        self.results = Console(stderr=json_output, quiet=quiet)

    def result(self, told: RenderableType) -> None:
        """Print a table, or a line of any length, where a pager or a file takes it."""
        self.results.print(told, highlight=False, soft_wrap=isinstance(told, str))


def make_console(quiet: bool = False, json_output: bool = False) -> Terminal:
    """Silent if asked here or by `set_quiet`; with `json_output`, standard output is left to the JSON."""
    return Terminal(quiet or rich.get_console().quiet, json_output)


def print_sheets(console: Terminal, sheets: Iterable[Sheet]) -> None:
    """One table for each."""
    for sheet in sheets:
        table = Table(*sheet.headers, title=sheet.title)
        for row in sheet.rows:
            table.add_row(*row)
        console.result(table)


def warn(message: str) -> None:
    """Tell what a user must know whatever the command line asked for."""
    Console(stderr=True).print(f"[yellow]{escape(message)}[/]", highlight=False, soft_wrap=True)
