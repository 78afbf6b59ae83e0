# SPDX-License-Identifier: Apache-2.0
"""Runs the self-test of a generated library on an emulated core (`dyncp generate --selftest`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import elf
from dyncp.firmware.building.boards import Board
from dyncp.firmware.building.image import APP, compile_source, link
from dyncp.firmware.emulators.counting import Marks, read_events
from dyncp.firmware.emulators.emulate import run_image

_LABELS = ("tables_begin", "tables_end", "selftest_begin", "selftest_end")


@dataclass(frozen=True)
class SelfTestCost:
    """Instructions of one call."""

    tables: int
    """P_check_tables."""
    whole: int
    """P_selftest, which does the same and hears frames."""


def run_selftest(library: Path, board: Board, work: Path, plugin: Path, timeout_s: float) -> SelfTestCost:
    """Build the self-test of `library`, generated with the prefix `dyncp`, in the folder `work`, and run it.

    Raises ToolchainError, with the status's text, where it fails, and as building and emulating do.
    """
    sources = [compile_source(library / "dyncp.c", board, work)]
    sources.append(compile_source(APP / "selftest.c", board, work, ("-I", str(library.resolve()))))
    image = link(board, sources, work)
    marks = Marks(plugin, tuple(elf.addresses(image, _LABELS)), "marks.bin")
    run_image(image, board, [], timeout_s=timeout_s, marks=marks)
    events = read_events(work / marks.out)
    if events[:, 0].tolist() != [0, 1, 2, 3]:
        raise ToolchainError(f"{image}: the self-test did not pass its marks once and in order")
    at = events[:, 1].tolist()
    return SelfTestCost(tables=at[1] - at[0], whole=at[3] - at[2])
