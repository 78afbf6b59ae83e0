# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance`: the generated C library, built for the host, on an audio file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from dyncp.export.bundle import Bundle
    from dyncp.export.run import Run

# Frames per call of the library: long files show progress and need little memory.
BLOCK_FRAMES = 1024


def enhance(
    source: Annotated[Path, typer.Argument(metavar="IN", help="WAV or FLAC, 16 kHz mono.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="WAV or FLAC to write.")],
    bundle: Annotated[Path, typer.Option(help="Quantized bundle, as `dyncp export` writes it.")],
    signals: Annotated[Path | None, typer.Option(help="CSV of the signals; by default OUT with suffix .csv.")] = None,
    keep_delay: Annotated[bool, typer.Option(help="Keep the algorithmic delay of 256 samples (16 ms).")] = False,
) -> None:
    """Enhance a file, bit-exact with the device; the output has the input's length and alignment."""
    import numpy as np

    from dyncp.export.bundle import read_bundle
    from dyncp.firmware.host import host_library
    from dyncp.train.audio import pad_to_hop, read_pcm, write_pcm
    from dyncp.train.config import HOP

    pcm = read_pcm(source)
    model = read_bundle(bundle)
    with host_library(model) as library, Progress(console=Console(stderr=True), transient=True) as progress:
        # One hop more than the input: the delayed output's end.
        padded = pad_to_hop(pcm, extra_hops=1)
        stream = library.stream()
        blocks = np.split(padded, range(BLOCK_FRAMES * HOP, len(padded), BLOCK_FRAMES * HOP))
        runs = [stream.run(block) for block in progress.track(blocks, description=source.name)]
    output = np.concatenate([run.output for run in runs])
    start = 0 if keep_delay else HOP
    write_pcm(target, output[start : start + len(pcm)])
    write_signals(signals or target.with_suffix(".csv"), model, runs)


def write_signals(path: Path, bundle: Bundle, runs: list[Run]) -> None:
    """One row a hop: time_s of its first input sample, each task's value in its unit, active channels, MACs."""
    from dyncp.export.signals import columns, values
    from dyncp.train.config import HOP, SAMPLE_RATE

    frame = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time_s", *columns(bundle.probes), "active", "macs"])
        for run in runs:
            for row in zip(values(bundle.probes, run.words), run.active, run.macs, strict=True):
                writer.writerow([f"{frame * HOP / SAMPLE_RATE:.3f}", *row[0], *row[1:]])
                frame += 1
