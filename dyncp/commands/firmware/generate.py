# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`: a bundle becomes a C99 library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dyncp.commands.shared.options import BundleFolder, Prefix
from dyncp.commands.shared.terminal import make_console


def generate(
    bundle: BundleFolder,
    out: Annotated[Path, typer.Argument(help="Folder for the C files.")],
    prefix: Prefix = "dyncp",
    signals: Annotated[
        str | None,
        typer.Option(help="Only these signals, such as `vad,snr_in`; `''` for none. All by default."),
    ] = None,
    probes_only: Annotated[
        bool,
        typer.Option(
            "--probes-only", help="Replace only the probes of the library in OUT, which must be of the same network."
        ),
    ] = False,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Add P_selftest() and P_check_tables(), which notice a faulty device.")
    ] = False,
) -> None:
    """Write the C library of a bundle: drop the folder into any C99 or C++ build (docs/emitted-c.md).

    OUT may hold files of yours, a build file for example: those stay. All others are renewed, or none.
    """
    from dyncp.codegen.generate import generate as generate_library
    from dyncp.codegen.generate import read_library, renew_probes
    from dyncp.export.formats.bundle import read_bundle

    names = None if signals is None else [name.strip() for name in signals.split(",") if name.strip()]
    if probes_only:
        folder = renew_probes(read_bundle(bundle), out, prefix, names)
    else:
        folder = generate_library(read_bundle(bundle), out, prefix, names, selftest)
    listed = ", ".join(read_library(folder, prefix).files)
    make_console().print(f"{folder}: {listed}", highlight=False, soft_wrap=True)
