# SPDX-License-Identifier: Apache-2.0
"""The image that QEMU ran, in another emulator: the same words, and the same instructions in every stage."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dyncp.base.errors import ConfigError
from dyncp.firmware.building.boards import Board
from dyncp.firmware.building.image import Image
from dyncp.firmware.emulators.counting import CALL, Counts, Marks, read_counts
from dyncp.firmware.emulators.emulate import engine
from dyncp.firmware.emulators.names import Emulator
from dyncp.firmware.proof.compare import compare, locate
from dyncp.firmware.proof.records import CrossCheck
from dyncp.firmware.proof.task import Task

FRAMES = 16
"""As many from the beginning of the audio: other emulators are slow to count in."""


def check_emulators(emulators: Collection[Emulator], boards: Sequence[Board]) -> None:
    """Raise ConfigError for an emulator that runs none of `boards`, ToolchainError for one that is not installed."""
    for emulator in emulators:
        if not any(runs(emulator, board) for board in boards):
            raise ConfigError(f"{emulator}: has no model of {', '.join(board.core for board in boards)}")
        engine(emulator)


def runs(emulator: Emulator, board: Board) -> bool:
    """Whether `emulator` has a model of the board's core."""
    return getattr(board.emulators, emulator) is not None


def cross_check(task: Task, emulator: Emulator, image: Image, counts: Counts, marks: Marks) -> CrossCheck:
    """Run the first FRAMES of the task's audio through `image`, which QEMU has run with `marks`, giving `counts`.

    A folder with the emulator's name, beside the image's, gets a copy of it and what it wrote. Raises ToolchainError
    as `stream` does.
    """
    folder = image.elf.parent.parent / emulator
    folder.mkdir(exist_ok=True)
    copy = replace(image, elf=folder / image.elf.name)
    shutil.copyfile(image.elf, copy.elf)
    run, _ = task.stream(copy, marks, frames=FRAMES, emulator=emulator)
    expected = task.expected.part(0, run.frames)
    return CrossCheck(
        emulator=engine(emulator).version(),
        frames=run.frames,
        mismatches=compare(expected, run, task.listed),
        first_divergence=locate(expected, run, task.listed),
        miscounted_frames=_miscounted(folder / marks.out, counts, run.frames) if engine(emulator).COUNTS else None,
    )


def _miscounted(path: Path, counts: Counts, frames: int) -> int:
    """The frames in which some stage's count differs."""
    found = read_counts(path, [name for name in counts.stages if name != CALL], frames)
    differing = [found.stages[name] != counted[:frames] for name, counted in counts.stages.items()]
    return int(np.any(differing, axis=0).sum())
