# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`: a bundle becomes a C99 library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dyncp.commands.options import BundleFolder, Prefix


def generate(
    bundle: BundleFolder,
    out: Annotated[Path, typer.Argument(help="Folder for the C files.")],
    prefix: Prefix = "dyncp",
) -> None:
    """Write the C library of a bundle: drop the folder into any C99 or C++ build (docs/emitted-c.md)."""
    from dyncp.codegen.generate import generate as generate_library
    from dyncp.export.bundle import read_bundle

    folder = generate_library(read_bundle(bundle), out, prefix)
    names = ", ".join(sorted(path.name for path in folder.iterdir()))
    Console(stderr=True).print(f"{folder}: {names}", highlight=False, soft_wrap=True)
