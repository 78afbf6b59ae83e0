# SPDX-License-Identifier: Apache-2.0
"""`dyncp validate`: reference, host library and emulated cores on the same audio, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dyncp.commands.shared.options import Json, NetworkName
from dyncp.commands.shared.terminal import Terminal, make_console, warn
from dyncp.firmware.emulators.names import Emulator

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.export.formats.bundle import Bundle
    from dyncp.firmware.proof.records import (
        Constants,
        CrossCheck,
        Divergence,
        HostRecord,
        TargetRecord,
        ValidationRecord,
    )

FRONT_END = dict.fromkeys(("window", "synthesis_window", "twiddle", "features", "sigmoid"), "front end")
KINDS = {**FRONT_END, "gate": "gates", "pool": "gates", "input": "inputs of blocks"}
"""What a tensor's name says of its kind, where it is not the kind itself."""


def validate(
    bundle: NetworkName,
    audio: Annotated[
        Path, typer.Argument(help="Noisy speech, WAV or FLAC, mono, of the network's rate; 10 s or more.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results, images and intermediate files.")],
    board: Annotated[
        list[str] | None, typer.Option(help="Only this board or core, may be repeated; by default the five Cortex-M.")
    ] = None,
    emulator: Annotated[
        list[Emulator] | None, typer.Option(help="Also run the first 16 frames in this emulator; QEMU always runs.")
    ] = None,
    library: Annotated[
        Path | None, typer.Option(help="Validate this generated folder (prefix dyncp) instead of a fresh one.")
    ] = None,
    locate: Annotated[bool, typer.Option(help="Name each engine's first divergence.")] = False,
    cycles: Annotated[
        bool,
        typer.Option("--cycles", help="Profile instructions, so that `report` can estimate the Cortex-M4's cycles."),
    ] = False,
    json_output: Json = False,
) -> None:
    """Prove that the generated C equals the NumPy reference bit for bit, on the host and on emulated cores."""
    console = make_console(json_output=json_output)
    record = prove(console, bundle, audio, out, board, library, locate, cycles, emulator or ())
    console.document(record)
    if not record.exact:
        raise typer.Exit(1)


def prove(
    console: Terminal,
    bundle: Path,
    audio: Path,
    out: Path,
    boards: list[str] | None = None,
    library: Path | None = None,
    locate: bool = False,
    cycles: bool = False,
    emulators: Sequence[Emulator] = (),
) -> ValidationRecord:
    """Validate, write the folder `out` and print the outcome, whatever it is."""
    from dyncp.base.audio import pad_to_hop, read_pcm
    from dyncp.base.files.outputs import check_folder_output
    from dyncp.codegen.generate import generate
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.firmware.proof.records import FILES, is_validation

    check_folder_output(out, FILES, is_validation, {"AUDIO": audio})
    model = read_bundle(bundle)
    pcm = pad_to_hop(read_pcm(audio, model.config.sample_rate), hop=model.config.hop)
    folder = library or generate(model, out / "library")
    record = _run(console, model, folder, pcm, out, boards, cycles, emulators)
    _print(console, record, locate)
    return record


def _run(
    console: Console,
    bundle: Bundle,
    library: Path,
    pcm: Pcm,
    out: Path,
    boards: list[str] | None,
    cycles: bool,
    emulators: Sequence[Emulator],
) -> ValidationRecord:
    """`dyncp.firmware.proof.validate.validate` with a progress bar."""
    from dyncp.firmware.proof.validate import validate as run

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reference", total=None)

        def progress(finished: str, done: int, total: int) -> None:
            bar.update(task, description=f"{finished} done", completed=done, total=total)

        return run(bundle, library, pcm, out, boards=boards, emulators=emulators, cycles=cycles, progress=progress)


def _print(console: Terminal, record: ValidationRecord, locate: bool) -> None:
    table = Table("engine", "frames", "mismatches", "constructed", "instructions per frame: mean", "p95", "max")
    table.add_row("host", str(record.host.frames), str(record.host.mismatches.total), _constructed(record.host))
    for target in record.targets:
        spread = target.instructions_per_frame
        counts = (f"{spread.mean:,.0f}", f"{spread.p95:,.0f}", f"{spread.max:,}")
        mismatches = str(target.mismatches.total)
        table.add_row(target.name, str(target.frames), mismatches, _constructed(target), *counts)
        for check in target.cross_checks:
            mismatches = str(check.mismatches.total)
            table.add_row(f"  {check.emulator}", str(check.frames), mismatches, "", _counted(check))
    console.result(table)
    if record.constants is not None:
        _print_constants(console, record.constants)
    found = {name: engine.first_divergence for name, engine in _engines(record).items()}
    found |= {f"{t.name}, {c.emulator}": c.first_divergence for t in record.targets for c in t.cross_checks}
    constructed = {name: engine.constructed for name, engine in _engines(record).items()}
    found |= {f"{name}, constructed frames": c.first_divergence for name, c in constructed.items() if c is not None}
    for name, divergence in found.items():
        if divergence:
            warn(f"{name}: {_divergence(divergence)}")
        elif locate:
            console.print(f"{name}: equal to the reference in every word", highlight=False, soft_wrap=True)


def _engines(record: ValidationRecord) -> dict[str, HostRecord | TargetRecord]:
    return {"host": record.host, **{target.name: target for target in record.targets}}


def _constructed(engine: HostRecord | TargetRecord) -> str:
    return "" if engine.constructed is None else str(engine.constructed.mismatches.total)


def _print_constants(console: Terminal, constants: Constants) -> None:
    """By kind: what the audio made a device read, and what is proved after the constructed frames."""
    kinds: dict[str, list[int]] = {}
    for tensor in constants.tables:
        counts = kinds.setdefault(_kind(tensor.name), [0, 0, 0])
        for place, count in enumerate((tensor.values, tensor.read, tensor.values - tensor.open)):
            counts[place] += count
    table = Table("constants", "values", "read by the audio", f"proved by {constants.frames} frames more")
    for kind, (values, read, proved) in kinds.items():
        table.add_row(kind, f"{values:,}", _share(read, values), _share(proved, values))
    console.result(table)


def _kind(tensor: str) -> str:
    """`blocks.3.gate.score.weight` is one of `gates`."""
    part = tensor.split(".")[2] if tensor.startswith("blocks.") else tensor.split(".")[0]
    return KINDS.get(part, part)


def _share(part: int, whole: int) -> str:
    """Rounded down: 100 % is all."""
    return f"{1000 * part // whole / 10:.1f} %"


def _counted(check: CrossCheck) -> str:
    if check.miscounted_frames is None:
        return "not counted"
    return f"other in {check.miscounted_frames} frames" if check.miscounted_frames else "the same"


def _divergence(found: Divergence) -> str:
    return (
        f"first divergence in frame {found.frame}, stage {found.stage}, channel {found.channel}: "
        f"the reference has {found.expected}, the engine {found.actual}"
    )
