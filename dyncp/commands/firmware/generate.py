# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`: a bundle becomes a C99 library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dyncp.commands.shared.options import BundleFolder, Prefix


def generate(
    bundle: BundleFolder,
    out: Annotated[Path, typer.Argument(help="Folder for the C files.")],
    prefix: Prefix = "dyncp",
    signals: Annotated[
        str | None,
        typer.Option(help="Only these signals, as `vad,snr_in`; none with `''`, all by default."),
    ] = None,
    probes_only: Annotated[
        bool, typer.Option("--probes-only", help="Renew the probes of the library in OUT, of the same network.")
    ] = False,
) -> None:
    """Write the C library of a bundle: drop the folder into any C99 or C++ build (docs/emitted-c.md).

    OUT may hold files of yours, a build file for example: those stay. All others are renewed, or none.
    """
    from dyncp.codegen.generate import generate as generate_library
    from dyncp.codegen.generate import read_library, renew_probes
    from dyncp.export.formats.bundle import read_bundle

    names = None if signals is None else [name.strip() for name in signals.split(",") if name.strip()]
    write = renew_probes if probes_only else generate_library
    folder = write(read_bundle(bundle), out, prefix, names)
    listed = ", ".join(read_library(folder, prefix).files)
    Console(stderr=True).print(f"{folder}: {listed}", highlight=False, soft_wrap=True)
