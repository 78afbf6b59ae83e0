# SPDX-License-Identifier: Apache-2.0
"""What commands tell on standard error: progress and results through one console, warnings past `dyncp --quiet`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import rich
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from dyncp.evaluation.plotting.sheet import Sheet


def set_quiet(quiet: bool) -> None:
    """Whether consoles made from now on stay silent: no progress, no tables, no notes.

    Kept in rich's own console, where rooms that know nothing of the command line find it.
    """
    rich.reconfigure(stderr=True, quiet=quiet)


def make_console(quiet: bool = False) -> Console:
    """A console on standard error, silent if asked here or by `set_quiet`."""
    return Console(stderr=True, quiet=quiet or rich.get_console().quiet)


def print_sheets(console: Console, sheets: Iterable[Sheet]) -> None:
    """One table for each."""
    for sheet in sheets:
        table = Table(*sheet.headers, title=sheet.title)
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def warn(message: str) -> None:
    """Tell what a user must know whatever the command line asked for."""
    Console(stderr=True).print(f"[yellow]{escape(message)}[/]", highlight=False, soft_wrap=True)
