# SPDX-License-Identifier: Apache-2.0
"""What commands tell: results on standard output, progress and remarks on standard error, warnings past `--quiet`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import rich
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dyncp.evaluation.plotting.sheet import Sheet


def set_quiet(quiet: bool) -> None:
    """Whether consoles made from now on stay silent: no progress, no tables, no notes.

    Kept in rich's own console, where rooms that know nothing of the command line find it.
    """
    rich.reconfigure(stderr=True, quiet=quiet)


PIPE_COLUMNS = 1000
"""A file or a pager takes lines of any length: tables are as wide there as what they hold."""


class Terminal(Console):
    """A console on standard error for progress and remarks, with another one for results, and `--json`."""

    def __init__(self, quiet: bool, json_output: bool) -> None:
        super().__init__(stderr=True, quiet=quiet)
        self.json_output = json_output
        self.results = Console(stderr=json_output, quiet=quiet)
        if not self.results.is_terminal and "COLUMNS" not in os.environ:
            self.results.width = PIPE_COLUMNS

    def result(self, told: RenderableType) -> None:
        """Print a table, or a line of any length, where a pager or a file takes it."""
        if isinstance(told, Table):
            # What a narrow terminal has no room for goes on in the next line, rather than being cut off.
            for column in told.columns:
                column.overflow = "fold"
        self.results.print(told, highlight=False, soft_wrap=isinstance(told, str))

    def document(self, result: BaseModel | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> None:
        """With `--json`, print the command's result: one JSON document, on one line of standard output."""
        if self.json_output:
            print(_json(result))

    @contextmanager
    def parts(self) -> Iterator[None]:
        """Commands that are called as parts of another one: with `--json`, their results are remarks of that one."""
        if self.json_output:
            with redirect_stdout(sys.stderr):
                yield
        else:
            yield


def _json(result: BaseModel | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> str:
    from pydantic import BaseModel

    return result.model_dump_json(by_alias=True) if isinstance(result, BaseModel) else json.dumps(result)


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
