# SPDX-License-Identifier: Apache-2.0
"""Help at 80 columns: every option, type and sentence is there whole, in any terminal and in a pipe."""

from __future__ import annotations

import inspect

import pytest
import typer.main
from typer.core import TyperArgument, TyperOption
from typer.testing import CliRunner

from dyncp.cli import commands

COLUMNS = 80
BY_NAME = typer.main.get_group(commands).commands


def help_of(*command: str, **environment: str) -> str:
    result = CliRunner().invoke(commands, [*command, "--help"], env={"COLUMNS": str(COLUMNS), **environment})
    assert result.exit_code == 0
    return result.stdout


def unwrapped(text: str) -> str:
    """Without the white space that lines and columns bring."""
    return "".join(text.split())


@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_of_a_command_is_cut(name: str) -> None:
    told, command = help_of(name), BY_NAME[name]
    assert max(map(len, told.splitlines())) <= COLUMNS
    assert command.help
    assert unwrapped(command.help) in unwrapped(told)
    for parameter in command.params:
        if isinstance(parameter, TyperOption | TyperArgument) and parameter.help:
            assert unwrapped(parameter.help) in unwrapped(told), parameter.name
        if isinstance(parameter, TyperOption):
            for spelling in (*parameter.opts, *parameter.secondary_opts):
                assert spelling in told.split(), "whole, on one line"


def test_the_list_of_commands_has_each_first_paragraph_whole() -> None:
    told = help_of()
    assert max(map(len, told.splitlines())) <= COLUMNS
    for name, command in BY_NAME.items():
        paragraph = inspect.cleandoc(command.help or "").split("\n\n")[0]
        assert unwrapped(name + paragraph) in unwrapped(told)


def test_no_empty_first_line_and_no_colours_in_a_pipe() -> None:
    told = help_of("generate", FORCE_COLOR="1")
    assert told.startswith("Usage: ")
    assert "\x1b" not in told
