# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance`: the generated C library, built for the host, on an audio file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from dyncp.commands.shared.terminal import make_console, warn

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.base.sounds.source import Source
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.integers.run import Run

# Frames per call of the library: files of any length take the same memory.
BLOCK_FRAMES = 1024


def enhance(
    source: Annotated[Path, typer.Argument(metavar="IN", help="WAV, FLAC or OGG; 16 kHz mono, unless told below.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="WAV or FLAC to write, 16 kHz mono.")],
    bundle: Annotated[Path, typer.Option(help="Quantized bundle, as `dyncp export` writes it.")],
    signals: Annotated[
        Path | None, typer.Option(help="CSV of the signals; by default OUT with the suffix .csv.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw audio and signals over time: .png or .svg. Keeps all audio in memory.")
    ] = None,
    keep_delay: Annotated[bool, typer.Option(help="Keep the algorithmic delay of 256 samples (16 ms).")] = False,
    resample: Annotated[bool, typer.Option("--resample", help="Convert another sample rate to 16 kHz (soxr).")] = False,
    mono: Annotated[bool, typer.Option("--mono", help="Average the channels of a file that has several.")] = False,
) -> None:
    """Enhance a file with the generated C, bit-exact with the device; length and alignment are kept.

    Files of any length take the same memory. What is written appears whole or not at all; an existing OUT is replaced.
    """
    from dyncp.base.files import new_text
    from dyncp.base.sounds.sink import new_sound
    from dyncp.base.sounds.source import Source
    from dyncp.commands.firmware.signals_file import SignalsFile
    from dyncp.export.formats.bundle import read_bundle

    table = signals or target.with_suffix(".csv")
    _check_outputs(source, target, bundle, table, plot)
    console = make_console()
    heard, model = Source(source, resample, mono), read_bundle(bundle)
    if heard.changes:
        console.print(f"{source}: {', '.join(heard.changes)}", highlight=False, soft_wrap=True)
    drawn = None if plot is None else _Drawn(source.name, target.name)
    with new_sound(target) as write, new_text(table) as file:
        rows = SignalsFile(file, model)

        def keep(pcm: Pcm, output: Pcm, run: Run) -> None:
            write(output)
            rows.add(run)
            if drawn is not None:
                drawn.add(pcm, output, run)

        _stream(console, heard, model, keep_delay, keep)
        if drawn is not None and plot is not None:
            drawn.save(plot, model)
    if heard.saturated:
        warn(f"{heard.saturated:,} samples exceeded full scale once converted, and were saturated")


def _check_outputs(source: Path, target: Path, bundle: Path, table: Path, plot: Path | None) -> None:
    """Before anything is computed or written."""
    from dyncp.base.files.outputs import check_outputs
    from dyncp.base.sounds.sink import check_sound_suffix
    from dyncp.commands.firmware.signals_file import check_replaceable

    check_sound_suffix(target)
    outputs = {"OUT": target, "the CSV of signals": table}
    if plot is not None:
        from dyncp.firmware.report.figures.drawing import check_picture

        check_picture(plot)
        outputs["the plot"] = plot
    check_outputs(outputs, {"IN": source, "the bundle": bundle})
    check_replaceable(table)


def _stream(
    console: Console, source: Source, model: Bundle, keep_delay: bool, keep: Callable[[Pcm, Pcm, Run], None]
) -> None:
    """All of the source through the library: `keep` gets input, output and results of its frames, piece by piece.

    One hop of silence more brings the end of the delayed output; its frame, for which the input has no hop, is no
    result.
    """
    import numpy as np

    from dyncp.base.audio import pad_to_hop
    from dyncp.base.config import HOP, SAMPLE_RATE
    from dyncp.firmware.host.library import host_library

    skip, total, written = 0 if keep_delay else HOP, 0, 0
    with host_library(model) as library, Progress(console=console, transient=True) as progress:
        stream = library.stream()
        bar = progress.add_task(source.path.name, total=source.frames * SAMPLE_RATE / source.rate)
        for pcm in source.blocks(BLOCK_FRAMES * HOP):
            run = stream.run(pad_to_hop(pcm))
            total += len(pcm)
            output = run.output[skip:][: total - written]
            keep(pcm, output, run)
            skip, written = 0, written + len(output)
            progress.advance(bar, len(pcm))
        last = stream.run(np.zeros(HOP, np.int16))
        keep(last.output[:0], last.output[: total - written], last.part(0, 0))


class _Drawn:
    """What a plot needs of the whole stream."""

    def __init__(self, heard: str, enhanced: str) -> None:
        self._names = (heard, enhanced)
        self._runs: list[Run] = []
        self._recordings: tuple[list[Pcm], list[Pcm]] = ([], [])

    def add(self, pcm: Pcm, output: Pcm, run: Run) -> None:
        self._runs.append(run)
        for recording, part in zip(self._recordings, (pcm, output), strict=True):
            recording.append(part)

    def save(self, path: Path, bundle: Bundle) -> None:
        import numpy as np

        from dyncp.export.integers.run import joined
        from dyncp.firmware.report.contents.signals import report_signals
        from dyncp.firmware.report.figures.traces import save_plot

        run = joined(self._runs)
        signals = report_signals(bundle, run.signals, run.active, run.macs, {})
        recordings = [np.concatenate(recording) for recording in self._recordings]
        save_plot(path, signals, dict(zip(self._names, recordings, strict=True)))
