# SPDX-License-Identifier: Apache-2.0
"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dyncp.base.paths import CHECKPOINTS, find_bundle

Checkpoint = Annotated[Path, typer.Argument(help="Checkpoint folder, or the name of a shipped one (`dyncp networks`).")]
BundleFolder = Annotated[Path, typer.Argument(help="Quantized bundle, as `dyncp export` writes it.")]
NetworkName = Annotated[
    Path,
    typer.Argument(
        metavar="NETWORK",
        parser=lambda text: find_bundle(Path(text)),
        help="Name of a shipped network (`dyncp networks`), or a bundle folder of `dyncp export`.",
    ),
]
CorpusFolder = Annotated[
    list[Path], typer.Option("--corpus", help="Corpus folder (docs/corpora.md); may be repeated, all are used as one.")
]
Redistributable = Annotated[bool, typer.Option(help="Use only files whose licence allows redistribution.")]
Prefix = Annotated[str, typer.Option(help="Prefix of every C symbol.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def find_checkpoint(name: Path) -> Path:
    """A folder, or the name of a checkpoint that is shipped with the package."""
    shipped = CHECKPOINTS / name
    return shipped if not name.exists() and shipped.is_dir() else name


def find_device(name: str) -> str:
    """cpu or cuda; `auto` is a GPU where there is one."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
