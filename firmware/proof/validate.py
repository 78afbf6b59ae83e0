# SPDX-License-Identifier: Apache-2.0
"""Proves that the generated C equals the NumPy reference bit for bit, on the host and on every emulated core."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import DyncpError, GenerationError
from dyncp.codegen.generate import read_library, with_signals
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run, split
from dyncp.firmware.building import elf, toolchain
from dyncp.firmware.building.boards import Board, default_boards, select
from dyncp.firmware.building.image import Image, Variant, build
from dyncp.firmware.cost.events import CycleEvents
from dyncp.firmware.cost.models import MODELS
from dyncp.firmware.emulators import counting
from dyncp.firmware.emulators.counting import Counts, Marks
from dyncp.firmware.emulators.emulate import Figures
from dyncp.firmware.emulators.names import Emulator
from dyncp.firmware.host.compiler import compiler_version, find_compiler
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.compare import compare, locate, wrong_macs
from dyncp.firmware.proof.constructed import construct
from dyncp.firmware.proof.cross_check import check_emulators, cross_check, runs
from dyncp.firmware.proof.product.controls import controlled, on_board, on_host
from dyncp.firmware.proof.profile import count_events
from dyncp.firmware.proof.records import (
    RECORD,
    ConstructedRecord,
    CrossCheck,
    Divergence,
    HostRecord,
    Memory,
    Mismatches,
    Spread,
    TargetRecord,
    ValidationRecord,
    is_validation,
    write_validation,
)
from dyncp.firmware.proof.selftest import run_selftest
from dyncp.firmware.proof.task import Task

Progress = Callable[[str, int, int], None]
"""Called with what was finished, how many steps are done, and how many there are."""

PREFIX = "dyncp"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Result:
    """What one image did. The trace is compared at once and let go: it is the bulk of the memory."""

    image: Image
    run: Run
    figures: Figures
    mismatches: Mismatches
    divergence: Divergence | None
    counts: Counts | None
    cross_checks: list[CrossCheck]
    cycles: CycleEvents | None
    constructed: ConstructedRecord | None


def validate(
    bundle: Bundle,
    library: Path,
    pcm: NDArray[np.int16],
    out: Path,
    *,
    boards: Sequence[str] | None = None,
    emulators: Collection[Emulator] = (),
    trace: bool = True,
    cycles: bool = False,
    progress: Progress | None = None,
    timeout_s: float | None = None,
) -> ValidationRecord:
    """Run int16 PCM [n · 256] through every engine, compare all words, and write the folder that `records` describes.

    `library` is the folder generated from `bundle` with the prefix `dyncp`, with all of its signals or some; `boards`
    are names, by default of `default_boards`; `emulators` run besides QEMU, each on the boards that it has a model of;
    `trace` compares every layer too, and proves the constants that the audio left unread, by constructed frames;
    `cycles` counts what an estimate of the Cortex-M4's cycles needs; `timeout_s` bounds each emulation.
    A library with a self-test must pass it on every core.
    `out/work` keeps images and what they wrote. A mismatch is recorded and logged, not raised. Raises ToolchainError
    if any engine is missing, fails, hangs or falls short; GenerationError for a library of another bundle;
    ConfigError for an unknown board; AudioError for audio that is not whole hops.
    """
    chosen = default_boards() if boards is None else select(boards)
    further = [emulator for emulator in emulators if emulator is not Emulator.QEMU]
    check_emulators(further, chosen)
    bundle, tasks = _as_generated(bundle, library)
    (out / "work").mkdir(parents=True, exist_ok=True)
    expected = reference.run(bundle, pcm, trace=trace)
    listed = stages(bundle.config, bundle.probe_outputs)
    constructed, constants = construct(bundle, expected, listed) if trace else (None, None)
    frames = expected.frames + (0 if constructed is None else constructed.frames)
    limit = 120.0 + frames if timeout_s is None else timeout_s
    second = controlled(bundle, pcm)
    task = Task(
        bundle, library, pcm, expected, listed, out / "work", trace, cycles, limit, further, constructed, second
    )

    try:
        host, results = _run_all(task, chosen, progress)
    except DyncpError:
        # An earlier run's verdict must not pass for this one's.
        if is_validation(out):
            (out / RECORD).unlink()
        raise
    targets = [_target(task, board, [r for r in results if r.image.board == board]) for board in chosen]
    record = ValidationRecord(
        bundle_hash=bundle.hash,
        frames=expected.frames,
        host=host,
        targets=targets,
        constants=constants,
        tasks=tasks,
        in_place_fft=read_library(library, PREFIX).in_place_fft,
    )
    macs = next((r.run.macs for r in results if r.counts is not None), expected.macs)
    words = task.expected.words if bundle.probe_outputs else None
    write_validation(out, record, pcm, expected.output, expected.masks, macs, words, bundle.config.sample_rate)
    return record


def _as_generated(bundle: Bundle, library: Path) -> tuple[Bundle, list[str] | None]:
    """The bundle with the probe tasks of `library`, which must come from it, and their names; None: all tasks."""
    found = read_library(library, PREFIX)
    if found.bundle_hash != bundle.hash:
        raise GenerationError(
            f"{library}: generated from bundle {found.bundle_hash}, not from {bundle.hash}; generate it again"
        )
    if found.probes_hash == bundle.probes_hash:
        return bundle, None
    names = [task.name for task in found.tasks]
    bundle = with_signals(bundle, names)
    if found.probes_hash != bundle.probes_hash:
        raise GenerationError(
            f"{library}: probes_hash is not that of the bundle's {', '.join(names)}; generate it again"
        )
    return bundle, names


def _run_all(task: Task, boards: Sequence[Board], progress: Progress | None) -> tuple[HostRecord, list[_Result]]:
    """Host and images in parallel; the first failure stops those that have not begun."""
    plugin = counting.build_plugin(task.work)
    variants: tuple[Variant, ...] = ("trace", "marks") if task.trace else ("marks",)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        host = pool.submit(_host, task)
        names: dict[Future[Any], str] = {host: "host"}
        images: list[Future[_Result]] = []
        for board, variant in itertools.product(boards, variants):
            images.append(pool.submit(_emulate, task, board, variant, plugin))
            names[images[-1]] = f"{board.core} {variant}"
        try:
            for done, future in enumerate(as_completed(names), 1):
                future.result()
                if progress is not None:
                    progress(names[future], done, len(names))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return host.result(), [image.result() for image in images]


def _host(task: Task) -> HostRecord:
    library = HostLibrary(task.library, PREFIX, task.trace, build_dir=task.work / "host")
    run = library.run(task.pcm, task.trace)
    divergence = locate(task.expected, run, task.listed)
    _complain("host", divergence)
    mismatches = compare(task.expected, run, task.listed)
    if task.controlled is not None:
        mismatches = _with_controls("host", mismatches, on_host(library, task.controlled))
    constructed = None
    if task.constructed is not None:
        constructed = task.constructed.check(task.constructed.run_on_host(library))
        _complain("host, constructed frames", constructed.first_divergence)
    return HostRecord(
        compiler=compiler_version(find_compiler()),
        frames=run.frames,
        mismatches=mismatches,
        first_divergence=divergence,
        constructed=constructed,
    )


def _emulate(task: Task, board: Board, variant: Variant, plugin: Path) -> _Result:
    folder, names = task.work / board.core / variant, [stage.name for stage in task.listed]
    given = 0 if task.constructed is None else task.constructed.given_bytes
    image = build(task.library, board, folder, variant, sum(stage.bytes for stage in task.listed), given_bytes=given)
    marks = None
    if variant == "marks" and read_library(task.library, PREFIX).selftest:
        run_selftest(task.library, board, folder / "selftest", plugin, task.timeout_s)
    if variant == "marks":
        marks = Marks(plugin, tuple(elf.addresses(image.elf, counting.mark_symbols(len(names)))), "marks.bin")
    run, figures = task.stream(image, marks, trace=variant == "trace")
    constructed = None
    if marks is None and task.constructed is not None:
        run, rest = split(run, task.expected.frames)
        constructed = task.constructed.check(rest)
        _complain(f"{board.core}, constructed frames", constructed.first_divergence)
    mismatches = compare(task.expected, run, task.listed)
    divergence = locate(task.expected, run, task.listed)
    _complain(f"{board.core} ({variant})", divergence)
    run.trace.clear()
    if marks is None:
        return _Result(image, run, figures, mismatches, divergence, None, [], None, constructed)
    if task.controlled is not None:
        second = folder / "controls"
        differing = on_board(task.library, image.object, board, task.controlled, second, task.timeout_s)
        mismatches = _with_controls(board.core, mismatches, differing)
    counts = counting.read_counts(folder / marks.out, names, run.frames)
    checks = [
        _cross_check(task, emulator, image, counts, marks) for emulator in task.emulators if runs(emulator, board)
    ]
    cycles = count_events(task, image) if task.cycles and board.core in MODELS else None
    return _Result(image, run, figures, mismatches, divergence, counts, checks, cycles, None)


def _cross_check(task: Task, emulator: Emulator, image: Image, counts: Counts, marks: Marks) -> CrossCheck:
    check = cross_check(task, emulator, image, counts, marks)
    _complain(f"{image.board.core} ({check.emulator})", check.first_divergence)
    if check.miscounted_frames:
        log.warning(f"{image.board.core}: {check.emulator} counts otherwise in {check.miscounted_frames} frames")
    return check


def _with_controls(engine: str, mismatches: Mismatches, differing: int) -> Mismatches:
    if differing:
        log.warning(f"{engine}: {differing} words differ from the reference where settings change")
    return mismatches.model_copy(update={"controls": differing})


def _complain(engine: str, divergence: Divergence | None) -> None:
    if divergence is not None:
        d = divergence
        log.warning(
            f"{engine}: differs from the reference first at frame {d.frame}, stage {d.stage}, channel {d.channel}: "
            f"expected {d.expected}, got {d.actual}"
        )


def _target(task: Task, board: Board, results: Sequence[_Result]) -> TargetRecord:
    """One record from a board's images: `trace` comes first, the figures are those of `marks`."""
    marks = next(r for r in results if r.counts is not None)
    assert marks.counts is not None
    divergences = [r.divergence for r in results if r.divergence is not None]
    probes = marks.counts.probes
    return TargetRecord(
        name=board.core,
        emulator=_qemu(board),
        compiler=toolchain.version(board.toolchain.compiler),
        flags=" ".join(marks.image.flags),
        frames=marks.run.frames,
        mismatches=Mismatches(
            **{name: sum(getattr(r.mismatches, name) for r in results) for name in Mismatches.model_fields}
        ),
        first_divergence=divergences[0] if divergences else None,
        instructions_per_frame=_spread(marks.counts.total),
        probe_instructions=None if probes is None else _spread(probes),
        instructions_by_stage={name: float(count.mean()) for name, count in marks.counts.stages.items()},
        miscounted_frames=max(len(wrong_macs(task.bundle.config, r.run)) for r in results),
        memory=_memory(marks.image, marks.figures),
        cross_checks=marks.cross_checks,
        cycles=marks.cycles,
        constructed=next((r.constructed for r in results if r.constructed is not None), None),
    )


def _spread(counts: NDArray[np.int64]) -> Spread:
    return Spread(mean=float(counts.mean()), p95=float(np.percentile(counts, 95)), max=int(counts.max()))


def _memory(image: Image, figures: Figures) -> Memory:
    library, whole = elf.library_bytes(image.object), elf.image_bytes(image.elf)
    return Memory(
        weights=library.weights,
        tables=library.tables,
        probes=library.probes,
        code=library.code,
        state=figures.state - figures.scratch,
        scratch=figures.scratch,
        stack=figures.stack,
        flash=whole.flash,
        ram=whole.ram + figures.stack,
    )


def _qemu(board: Board) -> str:
    """For example `qemu-system-arm 7.2.22 -machine mps2-an386 -kernel {image}`."""
    program, *words = board.emulators.qemu
    # "QEMU emulator version 7.2.22 (Debian …)", in user mode "qemu-hexagon version 7.2.22 (Debian …)"
    version = toolchain.version(program).partition("version ")[2].split(" ")[0]
    return " ".join([program, version, *words])
