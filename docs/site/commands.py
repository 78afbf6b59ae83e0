# SPDX-License-Identifier: Apache-2.0
"""A page of all commands of `dyncp`, from their own help."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

import typer.main

from dyncp.cli import commands as cli

OPENING = """# Which commands and options are there?

As `dyncp COMMAND --help` prints them.

"""


def page() -> str:
    group = typer.main.get_group(cli)
    context = group.context_class(group, info_name="dyncp")
    parts = [OPENING, *_options(each.get_help_record(context) for each in group.params)]
    for name, command in group.commands.items():
        inner = command.context_class(command, info_name=name, parent=context)
        usage = " ".join(command.collect_usage_pieces(inner))
        parts.append(f"## dyncp {name}\n\n```\ndyncp {name} {usage}\n```\n\n")
        parts.append(_text(inspect.cleandoc(command.help or "")) + "\n\n")
        parts += _options(each.get_help_record(inner) for each in command.params)
    return "".join(parts)


def _options(records: Iterable[tuple[str, str] | None]) -> Iterator[str]:
    """A table of (name, help)."""
    told = [record for record in records if record]
    if told:
        yield "| option | what it is |\n|---|---|\n"
        yield from (f"| {_code(name)} | {_text(words).replace('|', chr(92) + '|')} |\n" for name, words in told)
        yield "\n"


def _code(name: str) -> str:
    return f"`{name.replace('|', ' or ')}`"


def _text(words: str) -> str:
    """Text of a terminal in Markdown: what lies in brackets is no link, what is in stars no emphasis."""
    parts = enumerate(re.split(r"(`[^`]*`)", words))
    return "".join(part if n % 2 else re.sub(r"([\[\]*<>_])", r"\\\1", part) for n, part in parts)
