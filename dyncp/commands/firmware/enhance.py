# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance`: the generated C library, built for the host, on files, folders and pipes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from dyncp.base.paths import find_bundle
from dyncp.commands.firmware.enhancing.one import Job, Settings, enhance_one
from dyncp.commands.firmware.enhancing.raw import PIPE
from dyncp.commands.firmware.enhancing.summary import Summary, described
from dyncp.commands.shared.options import Json
from dyncp.commands.shared.terminal import make_console, warn

if TYPE_CHECKING:
    from dyncp.export.formats.bundle import Bundle


def enhance(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NETWORK IN OUT",
            help="NETWORK: name of a shipped one (`dyncp networks`), or a bundle. IN: WAV, FLAC or OGG, mono, of the "
            "network's rate (16 kHz, or 8), unless told below; a folder of such; or - for raw PCM on standard input, "
            "mono 16 bit little endian of that rate. OUT: WAV or FLAC to write, a folder, or - for raw PCM on standard "
            "output.",
        ),
    ],
    bundle: Annotated[Path | None, typer.Option(help="NETWORK, if it is not the first argument.")] = None,
    signals: Annotated[
        Path | None, typer.Option(help="CSV of the signals; by default OUT with the suffix .csv, none with -.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw audio and signals over time: .png or .svg. Keeps all audio in memory.")
    ] = None,
    keep_delay: Annotated[bool, typer.Option(help="Keep the algorithmic delay of the network (16 ms).")] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=0, max=96, help="Let noise fall by so many dB at most. No limit by default."),
    ] = None,
    strength: Annotated[
        int, typer.Option(min=0, max=200, help="Percent of the suppression; 200 doubles its dB (docs/controls.md).")
    ] = 100,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert another sample rate to the network's (soxr).")
    ] = False,
    mono: Annotated[bool, typer.Option("--mono", help="Average the channels of a file that has several.")] = False,
    json_output: Json = False,
) -> None:
    """Enhance files with the generated C, bit-exact with the device; length and alignment are kept.

    Files of any length take the same memory. What is written appears whole or not at all; an existing OUT is replaced,
    an input never. The files of a folder keep their names; those that cannot be enhanced are told, and the rest is
    done.
    """
    model, source, target = _places(words, bundle)
    settings = Settings(keep_delay, resample, mono, limit, strength)
    if source != PIPE and source.is_dir():
        if signals is not None or plot is not None or target == PIPE:
            raise typer.BadParameter(
                "a folder goes into a folder, without --signals and --plot: OUT has a CSV for each"
            )
        done, failed = enhance_folder(model, source, target, settings)
    else:
        if target == PIPE and json_output:
            raise typer.BadParameter("--json needs standard output, on which OUT is raw PCM")
        beside = None if target == PIPE else target.with_suffix(".csv")
        done, failed = [enhance_file(model, Job(source, target, signals or beside, plot), settings)], {}
    make_console(json_output=json_output).document({"files": [one.document() for one in done], "failed": failed})
    if failed:
        raise typer.Exit(1)


def _places(words: Sequence[str], bundle: Path | None) -> tuple[Path, Path, Path]:
    """Network, IN and OUT."""
    count = 3 if bundle is None else 2
    if len(words) != count:
        wanted = "NETWORK IN OUT, or IN OUT with --bundle" if bundle is None else "IN OUT beside --bundle"
        raise typer.BadParameter(f"{len(words)} arguments, expected {wanted}; `dyncp networks` lists networks")
    paths = [Path(word) for word in words]
    return find_bundle(bundle or paths[0]), paths[-2], paths[-1]


def enhance_file(network: Path, job: Job, settings: Settings | None = None) -> Summary:
    """One file or pipe. Raises DyncpError before anything is written where it cannot be done."""
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.firmware.host.library import host_library

    settings, console = settings or Settings(), make_console()
    job.check(network)
    bundle = read_bundle(network)
    heard = job.open(settings, bundle.config.sample_rate)
    with host_library(bundle) as library:
        done = enhance_one(console, job, heard, library, bundle, settings)
    console.print(done.line(), highlight=False, soft_wrap=True)
    return done


def enhance_folder(
    network: Path, source: Path, target: Path, settings: Settings
) -> tuple[list[Summary], dict[str, str]]:
    """Every audio file below `source`: what was done, and the complaint about each that could not be."""
    from dyncp.commands.firmware.enhancing.folder import jobs_of
    from dyncp.export.formats.bundle import read_bundle

    console = make_console()
    jobs, bundle = jobs_of(source, target), read_bundle(network)
    done, failed = _each(console, jobs, bundle, settings)
    for complaint in failed.values():
        warn(f"left out: {complaint}")
    console.print(f"{source} → {target}: {len(done)} files, {described(done)}", highlight=False, soft_wrap=True)
    return done, failed


def _each(
    console: Console, jobs: Sequence[Job], bundle: Bundle, settings: Settings
) -> tuple[list[Summary], dict[str, str]]:
    from dyncp.base.errors import DyncpError
    from dyncp.firmware.host.library import host_library

    done: list[Summary] = []
    failed: dict[str, str] = {}
    bars = Progress(console=console, transient=True, disable=not console.is_terminal)
    with host_library(bundle) as library, bars as progress:
        for job in progress.track(jobs, description="enhancing"):
            try:
                heard = job.open(settings, bundle.config.sample_rate)
                job.target.parent.mkdir(parents=True, exist_ok=True)
                # One bar at a time.
                done.append(enhance_one(Console(quiet=True), job, heard, library, bundle, settings))
            except DyncpError as error:
                failed[str(job.source)] = str(error)
    return done, failed
