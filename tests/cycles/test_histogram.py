# SPDX-License-Identifier: Apache-2.0
"""The histogram of a program that was counted by hand, and the estimate that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import elf as elf_file
from dyncp.firmware.building.boards import select
from dyncp.firmware.building.disassembly import disassemble
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.cost.cycles import events
from dyncp.firmware.cost.estimate import UserBoard, estimate
from dyncp.firmware.emulators.emulate import run_image
from dyncp.firmware.emulators.histogram import Executions, Histogram, build_plugin, read_histogram
from dyncp.firmware.proof.records import CycleEvents

SOURCE = Path(__file__).parent / "known.S"


def run(work: Path, begin: str, end: str) -> tuple[Path, Mapping[int, Executions]]:
    """The image, and what ran between two labels of known.S."""
    board = select(["cortex-m4"])[0]
    image = link(board, [compile_source(SOURCE, board, work)], work)
    first, last, table = elf_file.addresses(image, (begin, end, "known_table"))
    profile = Histogram(build_plugin(work), first, last, (table, table + 160), "histogram.bin")
    run_image(image, board, [], timeout_s=60, marks=profile)
    return image, read_histogram(work / "histogram.bin")


def test_a_known_program(tmp_path: Path) -> None:
    image, counted = run(tmp_path, "known_begin", "known_end")
    begin, loop = elf_file.addresses(image, ("known_begin", "known_loop"))
    # Twice between the marks: two instructions, ten rounds of three that read ten words.
    assert {at - begin: event.ran for at, event in counted.items()} == {0: 2, 4: 2, loop - begin: 20, 12: 20, 14: 20}
    # The second time, the three lines are there.
    assert counted[loop].lines == 3
    assert counted[begin + 14].departures == 18
    found = events(disassemble(image), counted, frames=2)
    assert found == CycleEvents(instructions=32, cycles=2 + 10 * (2 + 1 + 1), refills=9, flash_lines=1.5)


def test_a_straight_line_across_a_page(tmp_path: Path) -> None:
    image, counted = run(tmp_path, "crossing", "crossing_end")
    (begin,) = elf_file.addresses(image, ("crossing",))
    assert (begin + 2) % 1024 == 1022
    assert counted == {begin: Executions(1, 0, 0), begin + 2: Executions(1, 0, 0)}


def test_from_events_to_a_board() -> None:
    found = estimate(CycleEvents(instructions=900, cycles=1000, refills=100, flash_lines=10), UserBoard(5, 120.0))
    assert (found.low, found.estimate, found.high) == (1150, 1250, 1850)
    assert found.mhz == pytest.approx(1250 / 16e-3 * 1e-6)
    assert found.microjoules_per_frame == pytest.approx(0.15)
    idle = estimate(CycleEvents(instructions=1, cycles=1, refills=0, flash_lines=0), UserBoard())
    assert idle.microjoules_per_frame is None


def test_plugin_that_wrote_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"histogram\.bin: empty or truncated"):
        read_histogram(tmp_path / "histogram.bin")
