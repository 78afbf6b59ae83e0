# SPDX-License-Identifier: Apache-2.0
"""Instructions of every frame of a day, counted on emulated cores, the balance of its gates, and the Cortex-M4's cycles
estimated from them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.errors import ToolchainError
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle, read_bundle, write_bundle
from dyncp.export.integers.run import Run
from dyncp.firmware.bench.bench import FRONT_END, every_gate_open
from dyncp.firmware.building import elf
from dyncp.firmware.building.boards import Board, select
from dyncp.firmware.building.image import Image, build
from dyncp.firmware.cost.cycles import CORE
from dyncp.firmware.cost.events import CycleEvents
from dyncp.firmware.emulators.counting import CALL, Counts, Marks, build_plugin, mark_symbols, read_counts
from dyncp.firmware.host.library import host_library
from dyncp.firmware.proof.profile import count_events
from dyncp.firmware.proof.task import Task
from dyncp.firmware.report.contents.day import GateBalance

# Emulation runs at hundreds of frames a second on one busy processor.
SECONDS_PER_FRAME = 0.05
DECIDING = ("pool", "gate", "score", "mask")
"""Stages of a block that a network without gates does not have."""
OUTSIDE = (*FRONT_END, "probes", "signals", CALL)
"""Stages that are not the network's."""


@dataclass(frozen=True)
class CoreCounts:
    """Of one core; `cycles` of the Cortex-M4 alone."""

    core: str
    instructions: NDArray[np.int64]
    """[T]."""
    cycles: CycleEvents | None
    balance: GateBalance


def count_day(
    bundle: Bundle,
    pcm: Pcm,
    host: Run,
    cores: Sequence[str],
    spoken: Pcm,
    done: Callable[[str], object] | None = None,
) -> list[CoreCounts]:
    """Run int16 PCM [T · 256] on each board in `cores`; `host` is what the same C made of it on this machine.

    What the network takes with every channel active, for the balance, is counted on `spoken` [n · 256], which is more
    than one period of the gates.

    Raises ConfigError for an unknown core, ToolchainError where a compiler or emulator is missing or fails, or where a
    core's output is not the host's to the last bit.
    """
    boards = select(cores)
    counts = []
    with tempfile.TemporaryDirectory(prefix="dyncp-") as folder:
        work = Path(folder)
        library = generate(bundle, work / "library")
        listed = stages(bundle.config, bundle.probe_outputs)
        limit = 120 + SECONDS_PER_FRAME * host.frames
        task = Task(bundle, library, pcm, host, listed, work, trace=False, cycles=True, timeout_s=limit, emulators=[])
        opened = _opened(bundle, spoken, work / "opened")
        for board in boards:
            own, image = _count(task, board)
            dense, _ = _count(opened, board)
            cycles = count_events(task, image) if board.core == CORE else None
            counts.append(CoreCounts(board.core, own.total, cycles, _balance(own, dense, bundle.config.gate_period)))
            if done is not None:
                done(board.core)
    return counts


def _opened(bundle: Bundle, pcm: Pcm, work: Path) -> Task:
    """The same network with every gate open, on `pcm`."""
    opened = every_gate_open(bundle)
    write_bundle(opened, work / "bundle")
    opened = read_bundle(work / "bundle")
    with host_library(opened) as library:
        run = library.run(pcm)
    listed = stages(opened.config, opened.probe_outputs)
    folder = generate(opened, work / "library")
    return Task(opened, folder, pcm, run, listed, work, trace=False, cycles=False, timeout_s=120, emulators=[])


def _balance(own: Counts, dense: Counts, period: int) -> GateBalance:
    """Gates have all decided after a first period."""
    ungated = sum(
        counts[period:].mean() for name, counts in dense.stages.items() if _kind(name) not in (*DECIDING, *OUTSIDE)
    )
    return GateBalance(
        network=float(sum(counts.mean() for name, counts in own.stages.items() if _kind(name) not in OUTSIDE)),
        ungated=float(ungated),
        deciding=float(sum(counts.mean() for name, counts in own.stages.items() if _kind(name) in DECIDING)),
        probes=None if own.probes is None else float(own.probes.mean()),
        frame=float(own.total.mean()),
    )


def _kind(stage: str) -> str:
    """A stage without its block."""
    return stage.partition("_")[2] if stage.startswith("block") else stage


def _count(task: Task, board: Board) -> tuple[Counts, Image]:
    names = [stage.name for stage in task.listed]
    image = build(task.library, board, task.work / board.core, "marks", sum(stage.bytes for stage in task.listed))
    addresses = tuple(elf.addresses(image.elf, mark_symbols(len(names))))
    marks = Marks(build_plugin(task.work), addresses, "marks.bin")
    run, _ = task.stream(image, marks)
    if not np.array_equal(run.output, task.expected.output) or not np.array_equal(run.masks, task.expected.masks):
        raise ToolchainError(f"{board.core}: differs from the host; `dyncp validate --locate` says where")
    return read_counts(image.elf.parent / marks.out, names, run.frames), image
