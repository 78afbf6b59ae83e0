# SPDX-License-Identifier: Apache-2.0
"""Instructions of every frame of a day, counted on emulated cores, and the Cortex-M4's cycles estimated from them."""

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
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.run import Run
from dyncp.firmware.building import elf
from dyncp.firmware.building.boards import Board, select
from dyncp.firmware.building.image import build
from dyncp.firmware.cost.cycles import CORE
from dyncp.firmware.cost.events import CycleEvents
from dyncp.firmware.emulators.counting import Marks, build_plugin, mark_symbols, read_counts
from dyncp.firmware.proof.profile import count_events
from dyncp.firmware.proof.task import Task

# Emulation runs at hundreds of frames a second on one busy processor.
SECONDS_PER_FRAME = 0.05


@dataclass(frozen=True)
class CoreCounts:
    """Of one core; `cycles` of the Cortex-M4 alone."""

    core: str
    instructions: NDArray[np.int64]
    """[T]."""
    cycles: CycleEvents | None


def count_day(
    bundle: Bundle,
    pcm: Pcm,
    host: Run,
    cores: Sequence[str],
    done: Callable[[str], object] | None = None,
) -> list[CoreCounts]:
    """Run int16 PCM [T · 256] on each board in `cores`; `host` is what the same C made of it on this machine.

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
        for board in boards:
            counts.append(_count(task, board))
            if done is not None:
                done(board.core)
    return counts


def _count(task: Task, board: Board) -> CoreCounts:
    names = [stage.name for stage in task.listed]
    image = build(task.library, board, task.work / board.core, "marks", sum(stage.bytes for stage in task.listed))
    addresses = tuple(elf.addresses(image.elf, mark_symbols(len(names))))
    marks = Marks(build_plugin(task.work), addresses, "marks.bin")
    run, _ = task.stream(image, marks)
    if not np.array_equal(run.output, task.expected.output) or not np.array_equal(run.masks, task.expected.masks):
        raise ToolchainError(f"{board.core}: differs from the host; `dyncp validate --locate` says where")
    counts = read_counts(image.elf.parent / marks.out, names, run.frames)
    return CoreCounts(board.core, counts.total, count_events(task, image) if board.core == CORE else None)
