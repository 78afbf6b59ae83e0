# SPDX-License-Identifier: Apache-2.0
"""Every command has --json, by one mechanism: its result is one document, alone on standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer.main
from command import dyncp

from dyncp import commands as package
from dyncp.cli import commands
from dyncp.commands.shared.options import Json
from dyncp.commands.shared.terminal import make_console
from dyncp.evaluation.context.context import ContextRows

BY_NAME = typer.main.get_group(commands).commands
MODULES = sorted(Path(package.__file__).parent.rglob("*.py"))
WITHOUT: dict[str, str] = {}
"""Commands without --json, and why: there are none."""


def test_the_commands_are_all_there() -> None:
    assert len(BY_NAME) >= 16
    assert WITHOUT.keys() <= BY_NAME.keys()


@pytest.mark.parametrize("name", BY_NAME)
def test_every_command_has_it(name: str) -> None:
    described = {spelling: p.help for p in BY_NAME[name].params for spelling in p.opts if hasattr(p, "help")}
    if name in WITHOUT:
        assert "--json" not in described
    else:
        assert described["--json"] == Json.__metadata__[0].help


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_command_prints_it_on_its_own(path: Path) -> None:
    """Whoever takes `json_output` gives it to the console, whose `document` prints it."""
    text = path.read_text(encoding="utf-8")
    if path.name != "terminal.py":
        assert "print(json" not in text
        assert "print(result.model_dump_json" not in text
    if "json_output: Json = False" in text:
        assert "json_output=json_output)" in text
        assert ".document(" in text


@pytest.mark.parametrize("wanted", [True, False])
def test_a_document_is_one_line_where_it_was_asked_for(capsys: pytest.CaptureFixture[str], wanted: bool) -> None:
    console = make_console(json_output=wanted)
    for result in ({"a": "é"}, [{"a": 1}], ContextRows(rows=[])):
        console.document(result)
    told = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in told] == ([{"a": "é"}, [{"a": 1}], {"rows": []}] if wanted else [])


def test_parts_leave_standard_output_to_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console(json_output=True)
    with console.parts():
        make_console().result("of a part")
        print("printed")
    console.document({"of": "the whole"})
    told = capsys.readouterr()
    assert json.loads(told.out) == {"of": "the whole"}
    assert told.err == "of a part\nprinted\n"


def test_networks_tells_its_json_alone() -> None:
    assert "small" in json.loads(dyncp("networks", "--json"))
