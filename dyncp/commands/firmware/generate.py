# SPDX-License-Identifier: Apache-2.0
"""`dyncp generate`: a bundle becomes a C99 library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyncp.commands.shared.options import Json, NetworkName, Prefix
from dyncp.commands.shared.terminal import make_console

if TYPE_CHECKING:
    from dyncp.codegen.library import LibraryManifest
    from dyncp.export.formats.bundle import Bundle


def generate(
    bundle: NetworkName,
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
    shared_scratch: Annotated[
        bool,
        typer.Option(
            "--shared-scratch", help="All streams share one work space: for streams that one task processes in turn."
        ),
    ] = False,
    in_place_fft: Annotated[
        bool,
        typer.Option(
            "--in-place-fft",
            help="Transforms work in place of the spectrum: less RAM, more instructions, the same words "
            "(docs/placement.md).",
        ),
    ] = False,
    reads: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="Write the probes alone, to read the masks of the library of this prefix in OUT: a further probe set "
            "that shares its weights (docs/placement.md). Needs a --prefix of its own.",
        ),
    ] = None,
    layout: Annotated[
        str,
        typer.Option(
            help="The build system that OUT is for: plain, cmake, zephyr, arduino, platformio, esp-idf, cmsis-pack, "
            "rust or micropython (docs/layouts.md)."
        ),
    ] = "plain",
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Add P_stream.h and .c: any block length, 48 kHz, int32, float, stereo."),
    ] = False,
    json_output: Json = False,
) -> None:
    """Write the C library of a bundle: drop the folder into any C99 or C++ build (docs/emitted-c.md).

    OUT may hold files of yours, a build file for example: those stay. All others are renewed, or none.
    """
    from dyncp.base.errors import GenerationError
    from dyncp.codegen.generate import generate as generate_library
    from dyncp.codegen.generate import generate_reader, read_library, renew_probes
    from dyncp.codegen.layouts.arrange import place
    from dyncp.export.formats.bundle import read_bundle

    names = None if signals is None else [name.strip() for name in signals.split(",") if name.strip()]
    model = read_bundle(bundle)
    if reads is not None:
        if probes_only or selftest or shared_scratch or in_place_fft or stream or layout != "plain":
            raise GenerationError("--reads: a probe set alone takes --prefix and --signals, and no other option")
        folder = generate_reader(model, out, prefix, reads, names)
    elif probes_only:
        folder = renew_probes(model, out / place(layout), prefix, names)
    else:
        folder = generate_library(model, out, prefix, names, selftest, layout, shared_scratch, stream, in_place_fft)
    written = read_library(folder, prefix, readers=True)
    console = make_console(json_output=json_output)
    console.print(f"{folder}: {', '.join(written.files)}", highlight=False, soft_wrap=True)
    for line in closing(model, written, out, layout):
        console.print(line, highlight=False, soft_wrap=True)
    console.document({"folder": str(folder), **written.model_dump(mode="json", exclude={"network", "tasks"})})


def closing(bundle: Bundle, written: LibraryManifest, out: Path, layout: str = "plain") -> list[str]:
    """What the library in `out` costs, and how to build it."""
    from dyncp.base.config.framing import STANDARD
    from dyncp.codegen.accounting import memory, probe_bytes
    from dyncp.codegen.generate import with_signals
    from dyncp.codegen.layouts.arrange import how_to_build
    from dyncp.export.formats.shipped import figures_of

    if written.reads is not None:
        return _closing_reader(with_signals(bundle, [task.name for task in written.tasks]), written, out)
    config, figures = bundle.config, figures_of(bundle.network_hash)
    names = [task.name for task in written.tasks]
    chosen = names != [task.name for task in (bundle.probes.tasks if bundle.probes else [])]
    used = memory(with_signals(bundle, names) if chosen else bundle, written.in_place_fft)
    frame_ms = 1000 / config.framing.frames_per_second
    macs = f"{config.least_macs:,} to {config.most_macs:,} MACs"
    if figures is None:
        constants = used.weights + used.tables + used.probes
        cost = (
            f"It takes {constants:,} bytes of flash and its code, {used.state_total:,} bytes of RAM and its stack, and "
            f"{macs} per frame of {frame_ms:g} ms; `dyncp validate` with --board cortex-m4 counts the rest."
        )
    else:
        core = figures.core
        # Probes and state are those of the signals that were asked for.
        padding = core.probes - probe_bytes(bundle) if bundle.hash == figures.bundle_hash else 0
        flash = core.network + core.code + used.probes + padding
        counted = "counted on the demo's audio, with all signals"
        counted += ", flash and instructions without --in-place-fft" if written.in_place_fft else ""
        cost = (
            f"On a {core.name.title()} it takes {flash:,} bytes of flash, "
            f"{used.state_total + core.stack:,} bytes of RAM, stack included, and {core.instructions_mean:,.0f} "
            f"instructions per frame of {frame_ms:g} ms, {core.instructions_max:,} at most ({core.optimize}, {macs}; "
            f"{counted})."
        )
    also = f" {written.prefix}_stream.c is a second file to compile." if written.stream else ""
    needed = "memset and memcpy" if config.framing.sizes == STANDARD.sizes else "memset, memcpy and memmove"
    build = f"{how_to_build(layout, out, written.prefix)} It needs {needed}, no heap and no floating point.{also}"
    return [cost, build]


def _closing_reader(bundle: Bundle, written: LibraryManifest, out: Path) -> list[str]:
    from dyncp.codegen.accounting import memory, probe_bytes

    state = sum(size for name, size in memory(bundle).state.items() if name == "probes")
    name, network = written.prefix, written.reads
    return [
        f"It takes {probe_bytes(bundle):,} bytes of flash and its code, and {state:,} bytes of RAM a stream; the "
        f"network's weights are those of {network}.",
        f"Add {out / name}.c to your build besides {network}.c, and call {name}_read(&{name}, &{network}, &signals) "
        f"after each {network}_process.",
    ]
