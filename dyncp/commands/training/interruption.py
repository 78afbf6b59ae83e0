# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in a training: no traceback, but the command that goes on from the last finished epoch."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from dyncp.commands.shared.terminal import warn

INTERRUPTED = 130
"""Exit status of a program that SIGINT ended, as shells have it: 128 + 2."""


@contextmanager
def interruptible(context: typer.Context, out: Path) -> Iterator[None]:
    """Within, Ctrl-C ends the command of `context`, which trains into `out`, with status 130.

    Of several processes, the first one tells.
    """
    try:
        yield
    except KeyboardInterrupt:
        if os.environ.get("RANK", "0") == "0":
            warn(f"\ninterrupted; {_how_to_go_on(context, out)}")
        raise typer.Exit(INTERRUPTED) from None


def _how_to_go_on(context: typer.Context, out: Path) -> str:
    from dyncp.train.network.resume_file import RESUME

    if not (out / RESUME).is_file():
        return "no epoch was finished, and nothing has been written: the same command begins anew"
    launcher = ", under the same launcher" if "LOCAL_RANK" in os.environ else ""
    return f"this goes on after the last finished epoch{launcher}:\n{shlex.join(resuming(context))}"


def resuming(context: typer.Context) -> list[str]:
    """The command line of `context` once more, with `--resume` in place of `--start`."""
    words = ["dyncp", str(context.info_name)]
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if source is None or source.name != "COMMANDLINE" or parameter.name in ("start", "resume"):
            continue
        value = context.params[str(parameter.name)]
        values = value if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "argument":
            words += map(str, values)
        elif isinstance(value, bool):
            words.append(parameter.opts[0] if value else parameter.secondary_opts[0])
        else:
            words += [word for each in values for word in (parameter.opts[0], str(each))]
    return [*words, "--resume"]
