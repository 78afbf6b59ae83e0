# SPDX-License-Identifier: Apache-2.0
"""What an estimate of cycles is made of, from a run of an image with the plugin that counts each instruction."""

from __future__ import annotations

from dyncp.firmware.building import elf
from dyncp.firmware.building.disassembly import disassemble
from dyncp.firmware.building.image import Image
from dyncp.firmware.cost.events import CycleEvents
from dyncp.firmware.cost.models import MODELS
from dyncp.firmware.emulators.histogram import Histogram, build_plugin, read_histogram
from dyncp.firmware.proof.task import Task


def count_events(task: Task, image: Image) -> CycleEvents:
    """Run the task's audio through the `marks` image once more. Raises ToolchainError."""
    begin, end = elf.addresses(image.elf, ("frame_begin", "frame_end"))
    constants = image.board.memory.constants or image.board.memory.code
    span = (constants.origin, constants.origin + constants.length)
    profile = Histogram(build_plugin(task.work), begin, end, span, "histogram.bin")
    run, _ = task.stream(image, profile)
    events = MODELS[image.board.core]
    return events(disassemble(image.elf), read_histogram(image.elf.parent / profile.out), run.frames)
