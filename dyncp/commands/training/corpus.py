# SPDX-License-Identifier: Apache-2.0
"""`dyncp corpus`: bring a corpus to 16 kHz, as files or as shards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dyncp.commands.shared.options import Json
from dyncp.commands.shared.terminal import make_console, warn

if TYPE_CHECKING:
    from rich.console import Console

    from dyncp.train.corpora.conversion import Conversion
    from dyncp.train.corpora.sharding import Sharding

Done = TypeVar("Done")


def corpus(
    source: Annotated[Path, typer.Argument(help="Corpus of any layout and sample rate (docs/corpora.md).")],
    target: Annotated[Path, typer.Argument(help="Folder to write, with the same file names and tables, or shards.")],
    shards: Annotated[
        bool,
        typer.Option(
            "--shards", help="Write a few long files that are read on demand, for corpora larger than memory."
        ),
    ] = False,
    json_output: Json = False,
) -> None:
    """Convert a corpus to 16 kHz mono, as every other command needs it."""
    console = make_console(json_output=json_output)
    done = _shard(console, source, target) if shards else _convert(console, source, target)
    if done.left_out:
        warn(f"left out, because they hold nothing to use: {len(done.left_out)} files")
        for reason in done.left_out:
            warn(f"  {reason}")
    console.document(asdict(done))


def _convert(console: Console, source: Path, target: Path) -> Conversion:
    from dyncp.train.corpora.conversion import convert_corpus

    done = _with_bar(console, lambda told: convert_corpus(source, target, told))
    console.print(f"{target}: {done.resampled} files resampled, {done.copied} copied", highlight=False)
    if done.saturated:
        warn(f"{done.saturated} of them exceeded full scale between samples and were saturated")
    return done


def _shard(console: Console, source: Path, target: Path) -> Sharding:
    from dyncp.train.corpora.sharding import shard_corpus

    done = _with_bar(console, lambda told: shard_corpus(source, target, told))
    console.print(
        f"{target}: {done.hours:.2f} hours, {done.speech} recordings of speech and {done.noise} of noise",
        highlight=False,
    )
    return done


def _with_bar(console: Console, work: Callable[[Callable[[int, int], None]], Done]) -> Done:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=None)
        return work(lambda now, total: progress.update(task, completed=now, total=total))
