# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance`: the generated C library, built for the host, on an audio file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from dyncp.commands.shared.terminal import make_console

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.integers.run import Run

# Frames per call of the library: long files show progress and need little memory.
BLOCK_FRAMES = 1024


def enhance(
    source: Annotated[Path, typer.Argument(metavar="IN", help="WAV or FLAC, 16 kHz mono.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="WAV or FLAC to write.")],
    bundle: Annotated[Path, typer.Option(help="Quantized bundle, as `dyncp export` writes it.")],
    signals: Annotated[
        Path | None, typer.Option(help="CSV of the signals; by default OUT with the suffix .csv.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw audio and signals over time: .png or .svg.")] = None,
    keep_delay: Annotated[bool, typer.Option(help="Keep the algorithmic delay of 256 samples (16 ms).")] = False,
) -> None:
    """Enhance a file with the generated C, bit-exact with the device; length and alignment are kept."""
    from dyncp.base.audio import read_pcm, write_pcm
    from dyncp.base.config import HOP
    from dyncp.export.formats.bundle import read_bundle

    if plot is not None:
        # Before anything is computed or written.
        from dyncp.firmware.report.figures.drawing import check_picture

        check_picture(plot)
    pcm = read_pcm(source)
    model = read_bundle(bundle)
    run = run_library(make_console(), model, pcm, source.name)
    start = 0 if keep_delay else HOP
    output = run.output[start : start + len(pcm)]
    write_pcm(target, output)
    # The last frame only brings the delayed output's end; the input has no hop for it.
    frames = run.frames - 1
    write_signals(signals or target.with_suffix(".csv"), model, run, frames)
    if plot is not None:
        _draw(plot, model, run, frames, {source.name: pcm, target.name: output})


def run_library(console: Console, model: Bundle, pcm: Pcm, title: str) -> Run:
    """All of int16 PCM [samples], and one hop of silence more, through the library, with a progress bar."""
    import numpy as np

    from dyncp.base.audio import pad_to_hop
    from dyncp.base.config import HOP
    from dyncp.export.integers.run import joined
    from dyncp.firmware.host.library import host_library

    padded = pad_to_hop(pcm, extra_hops=1)
    blocks = np.split(padded, range(BLOCK_FRAMES * HOP, len(padded), BLOCK_FRAMES * HOP))
    with host_library(model) as library, Progress(console=console, transient=True) as progress:
        stream = library.stream()
        return joined([stream.run(block) for block in progress.track(blocks, description=title)])


def write_signals(path: Path, bundle: Bundle, run: Run, frames: int) -> None:
    """One row a hop: time_s of its first input sample, each task's columns, active channels, MACs."""
    from dyncp.base.config import HOP, SAMPLE_RATE
    from dyncp.export.integers.signals import columns, read_out, rows

    tasks = bundle.probes.tasks if bundle.probes else []
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", *columns(tasks), "active", "macs"])
        for frame, cells in enumerate(rows(read_out(bundle, run.signals), frames)):
            writer.writerow([f"{frame * HOP / SAMPLE_RATE:.3f}", *cells, run.active[frame], run.macs[frame]])


def _draw(path: Path, bundle: Bundle, run: Run, frames: int, recordings: dict[str, Pcm]) -> None:
    from dyncp.firmware.report.contents.signals import report_signals
    from dyncp.firmware.report.figures.traces import save_plot

    part = slice(frames)
    signals = report_signals(bundle, run.signals[part], run.active[part], run.macs[part], {})
    save_plot(path, signals, recordings)
