# SPDX-License-Identifier: Apache-2.0
"""One stream through the library: a file or standard input, to a file or standard output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from dyncp.commands.firmware.enhancing.raw import PIPE, RawSource, new_raw
from dyncp.commands.firmware.enhancing.signals_file import SignalsFile, check_replaceable
from dyncp.commands.firmware.enhancing.summary import Summary, shown
from dyncp.commands.shared.terminal import warn

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.base.sounds.source import Source
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.integers.controls import Settings as Controls
    from dyncp.export.integers.run import Run
    from dyncp.firmware.host.library import HostLibrary

BLOCK_FRAMES = 1024
"""Frames per call of the library: files of any length take the same memory."""


@dataclass(frozen=True)
class Settings:
    """How audio is read and enhanced: the same for all files of a folder."""

    keep_delay: bool = False
    resample: bool = False
    mono: bool = False
    limit: int | None = None
    """dB by which noise falls at most."""
    strength: int = 100
    """Percent of the suppression."""

    def controls(self) -> Controls:
        """What the library is set to."""
        from dyncp.export.integers.controls import NO_LIMIT
        from dyncp.export.integers.controls import Settings as Controls

        return Controls(limit=NO_LIMIT if self.limit is None else self.limit, strength=self.strength)


@dataclass(frozen=True)
class Job:
    """`-` as source or target is standard input or output."""

    source: Path
    target: Path
    table: Path | None
    """CSV of the signals."""
    plot: Path | None = None

    def check(self, bundle: Path) -> None:
        """Before anything is computed or written. Raises AudioError or OutputError."""
        from dyncp.base.files.outputs import check_outputs
        from dyncp.base.sounds.sink import check_sound_suffix
        from dyncp.base.sounds.source import opened

        outputs = {}
        if self.target != PIPE:
            check_sound_suffix(self.target)
            outputs["OUT"] = self.target
        if self.table is not None:
            outputs["the CSV of signals"] = self.table
        if self.plot is not None:
            from dyncp.firmware.report.figures.drawing import check_picture

            check_picture(self.plot)
            outputs["the plot"] = self.plot
        check_outputs(outputs, {"the bundle": bundle} | ({} if self.source == PIPE else {"IN": self.source}))
        if self.table is not None:
            check_replaceable(self.table)
        if self.source != PIPE:
            with opened(self.source):
                pass

    def open(self, settings: Settings, rate: int) -> Source | RawSource:
        """To be heard at a network's rate. Raises AudioError for a file that cannot be used as asked."""
        from dyncp.base.sounds.source import Source

        if self.source == PIPE:
            return RawSource()
        return Source(self.source, settings.resample, settings.mono, rate)


def enhance_one(
    console: Console, job: Job, heard: Source | RawSource, library: HostLibrary, bundle: Bundle, settings: Settings
) -> Summary:
    """Write everything that `job` asks for; what is a file appears whole or not at all."""
    from dyncp.base.files import new_text

    if heard.changes:
        console.print(f"{job.source}: {', '.join(heard.changes)}", highlight=False, soft_wrap=True)
    table = None if job.table is None else str(job.table)
    done = Summary(shown(job.source, "standard input"), shown(job.target, "standard output"), table)
    drawn = None if job.plot is None else _Drawn(job.source.name, job.target.name)
    started = time.monotonic()
    with ExitStack() as stack:
        write = stack.enter_context(_sink(job.target, bundle.config.sample_rate))
        rows = None if job.table is None else SignalsFile(stack.enter_context(new_text(job.table)), bundle)

        def keep(pcm: Pcm, output: Pcm, run: Run) -> None:
            write(output)
            done.add(bundle, run, len(pcm))
            if rows is not None:
                rows.add(run)
            if drawn is not None:
                drawn.add(pcm, output, run)

        _stream(console, heard, library, settings, keep)
        if drawn is not None and job.plot is not None:
            drawn.save(job.plot, bundle)
    done.took, done.saturated = time.monotonic() - started, heard.saturated
    if heard.saturated:
        warn(f"{job.source}: {heard.saturated:,} samples exceeded full scale once converted, and were saturated")
    return done


@contextmanager
def _sink(target: Path, rate: int) -> Iterator[Callable[[Pcm], None]]:
    from dyncp.base.sounds.sink import new_sound

    with new_raw() if target == PIPE else new_sound(target, rate) as write:
        yield write


def _stream(
    console: Console,
    source: Source | RawSource,
    library: HostLibrary,
    settings: Settings,
    keep: Callable[[Pcm, Pcm, Run], None],
) -> None:
    """All of the source through the library: `keep` gets input, output and results of its frames, piece by piece.

    As much silence more as the delay brings the end of the output; its frames, for which the input has no hop, are no
    results.
    """
    import numpy as np

    from dyncp.base.audio import pad_to_hop

    framing, total, written = library.config.framing, 0, 0
    skip = 0 if settings.keep_delay else framing.delay
    if isinstance(source, RawSource):
        source.hop = framing.hop
    length = None if source.seconds is None else source.seconds * framing.rate
    stream = library.stream()
    stream.set_controls(settings.controls())
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(source.path.name, total=length)
        for pcm in source.blocks(BLOCK_FRAMES * framing.hop):
            run = stream.run(pad_to_hop(pcm, hop=framing.hop))
            total += len(pcm)
            output = run.output[skip:][: total - written]
            keep(pcm, output, run)
            skip, written = max(0, skip - len(run.output)), written + len(output)
            progress.advance(bar, len(pcm))
        last = stream.run(np.zeros(framing.delay, np.int16))
        keep(last.output[:0], last.output[skip:][: total - written], last.part(0, 0))


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
        save_plot(path, signals, dict(zip(self._names, recordings, strict=True)), bundle.config.sample_rate)
