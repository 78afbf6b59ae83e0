# SPDX-License-Identifier: Apache-2.0
"""The QEMU plugin counts exactly, on every core, on a program that was counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import elf as elf_file
from dyncp.firmware.building.boards import Board, default_boards, select
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.emulators.counting import Marks, build_plugin, read_counts, read_events
from dyncp.firmware.emulators.emulate import run_image

SOURCE = Path(__file__).parent / "counted.S"
NAMES = ["counted_loop", "counted_line", "counted_calls", "counted_end", "counted_inside", "counted_line"]


def count(board: Board, work: Path) -> np.ndarray:
    image = link(board, [compile_source(SOURCE, board, work / board.core)], work / board.core)
    marks = Marks(build_plugin(work), tuple(elf_file.addresses(image, NAMES)), "marks.bin")
    run_image(image, board, [], timeout_s=60, marks=marks)
    return read_events(image.parent / "marks.bin")


@pytest.mark.parametrize("board", default_boards(), ids=lambda board: board.core)
def test_counts_are_exact_and_repeatable(board: Board, tmp_path: Path) -> None:
    events = count(board, tmp_path)
    assert events[:, 0].tolist() == [0] * 1000 + [1, 5, 2] + [4] * 10 + [3]
    at = events[:, 1] - events[0, 1]
    # The first mark stands on the loop's own first instruction: passed each time round, two instructions apart.
    assert at[:1000].tolist() == list(range(0, 2000, 2))
    # Two marks at one address, in the order of the list, then the straight line and the calls.
    assert at[1000:1003].tolist() == [2000, 2000, 4000]
    assert at[1003:1013].tolist() == [4000 + 3 + 9 * i for i in range(10)]
    assert at[1013] == 4000 + 1 + 10 * 9
    assert np.array_equal(count(board, tmp_path), events)


OTHER_SOURCES = {"riscv": "counted_riscv.S", "hexagon": "counted_hexagon.S"}


@pytest.mark.slow
@pytest.mark.parametrize("core", ["rv32imac", "rv64gcv", "hexagon-v67"])
def test_counts_are_exact_on_other_cores(core: str, tmp_path: Path) -> None:
    """1000 turns of a loop of two, and 500 in a straight line; on Hexagon packets, whatever they hold."""
    [board] = select([core])
    source = SOURCE.parent / OTHER_SOURCES[board.isa]
    image = link(board, [compile_source(source, board, tmp_path)], tmp_path)
    names = ["counted_loop", "counted_line", "counted_end"]
    marks = Marks(build_plugin(tmp_path), tuple(elf_file.addresses(image, names)), "marks.bin")
    run_image(image, board, [], timeout_s=60, marks=marks)
    events = read_events(tmp_path / "marks.bin")
    assert events[:, 0].tolist() == [0] * 1000 + [1, 2]
    at = events[:, 1] - events[0, 1]
    assert at.tolist() == [*range(0, 2000, 2), 2000, 2500]


def test_missed_mark_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "marks.bin"
    np.array([[0, 10], [1, 12], [3, 20]], "<i8").tofile(path)
    with pytest.raises(ToolchainError, match="once and in order"):
        read_counts(path, ["only"], frames=1)


def test_counts_split_by_stage(tmp_path: Path) -> None:
    path = tmp_path / "marks.bin"
    np.array([[0, 10], [1, 12], [2, 20], [3, 50], [4, 53]], "<i8").tofile(path)
    counts = read_counts(path, ["first", "second"], frames=1)
    assert counts.total.tolist() == [43]
    assert {name: values.tolist() for name, values in counts.stages.items()} == {
        "first": [8],
        "second": [30],
        "call": [5],
    }


def test_missing_symbol_is_named(tmp_path: Path) -> None:
    board = default_boards()[0]
    image = link(board, [compile_source(SOURCE, board, tmp_path)], tmp_path)
    with pytest.raises(ToolchainError, match="no symbol dyncp_mark_0"):
        elf_file.addresses(image, ["counted_loop", "dyncp_mark_0"])
