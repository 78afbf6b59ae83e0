# SPDX-License-Identifier: Apache-2.0
"""The comparison with published counts measures what it says, on a routine that is counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from dyncp.base.errors import ToolchainError
from dyncp.bench.published_cycles import Example, Routine, aes_tables, measure
from dyncp.firmware.building.boards import select

# Copies the 32 bytes at r1 to r0, under a name that dyncp/bench/call_published.c knows.
COPY = """
    .syntax unified
    .thumb
    .global curve25519_scalarmult
    .type curve25519_scalarmult, %function
curve25519_scalarmult:
    push {r4-r7}
    ldm r1!, {r2-r5}
    stm r0!, {r2-r5}
    ldm r1!, {r2-r5}
    stm r0!, {r2-r5}
    pop {r4-r7}
    bx lr
"""
SOURCE = "copy.s"
SECRET = "5a" * 31 + "01"


def copy(result: str) -> Routine:
    call = "curve25519_scalarmult(memory.out, memory.key, memory.text)"
    return Routine("mine", (SOURCE,), call, 0, Example(SECRET, "", result))


def test_a_routine_counted_by_hand(tmp_path: Path) -> None:
    (tmp_path / SOURCE).write_text(COPY)
    found = measure(copy(SECRET), tmp_path, select(["cortex-m4"])[0], tmp_path / "work")
    # Six times 1 + 4 and the return, called with arguments of at most one cycle or literal each.
    assert found.refills == 2
    arguments = found.instructions - 8
    assert 6 * 5 + 2 + arguments <= found.cycles <= 6 * 5 + 2 + 2 * arguments


def test_another_result_than_the_example(tmp_path: Path) -> None:
    (tmp_path / SOURCE).write_text(COPY)
    with pytest.raises(ToolchainError, match="not the result of the standard's example"):
        measure(copy("77" * 16), tmp_path, select(["cortex-m4"])[0], tmp_path / "work")


def test_a_clone_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"copy\.s: not found; .* which commit to clone"):
        measure(copy(SECRET), tmp_path, select(["cortex-m4"])[0], tmp_path / "work")


def test_tables() -> None:
    words = [line for line in aes_tables().splitlines() if line.startswith(".word")]
    assert (words[0], words[-1]) == (".word 0x63c6a563", ".word 0x162c3a16")
