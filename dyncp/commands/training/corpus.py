# SPDX-License-Identifier: Apache-2.0
"""`dyncp corpus`: bring a corpus to 16 kHz."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dyncp.commands.shared.options import Json
from dyncp.commands.shared.terminal import make_console, warn


def corpus(
    source: Annotated[Path, typer.Argument(help="Corpus folder of any sample rate (docs/training.md).")],
    target: Annotated[Path, typer.Argument(help="Folder to write, with the same file names and tables.")],
    json_output: Json = False,
) -> None:
    """Convert a corpus to 16 kHz mono, as every other command needs it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from dyncp.train.corpora.conversion import convert_corpus

    console = make_console()
    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=None)
        done = convert_corpus(source, target, lambda now, total: progress.update(task, completed=now, total=total))
    console.print(f"{target}: {done.resampled} files resampled, {done.copied} copied", highlight=False)
    if done.saturated:
        warn(f"{done.saturated} of them exceeded full scale between samples and were saturated")
    if json_output:
        print(json.dumps(asdict(done)))
