# SPDX-License-Identifier: Apache-2.0
"""The cost model gives the sums that follow from the table of docs/cycles.md."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building.disassembly import Instruction, parse
from dyncp.firmware.cost.cycles import cost, events
from dyncp.firmware.emulators.histogram import Executions


def code(*lines: str) -> list[Instruction]:
    """A straight line of instructions, two bytes each, four where the name ends in .w."""
    made, address = [], 0
    for line in lines:
        name, _, operands = line.partition(" ")
        size = 4 if name.endswith(".w") else 2
        made.append(Instruction(address, size, name.removesuffix(".w"), operands))
        address += size
    return made


def straight(*lines: str) -> int:
    """Cycles of running the lines once, one after the other."""
    made = code(*lines)
    return cost(made[0], None).alone + sum(cost(b, a).pipelined for a, b in pairwise(made))


@pytest.mark.parametrize(
    ("cycles", "lines"),
    [
        (1, ["adds r0, r1, r2"]),
        (1, ["mla r0, r1, r2, r3"]),
        (1, ["smull r0, r1, r2, r3"]),
        (1, ["smlad r0, r1, r2, r3"]),
        (1, ["smmulr r0, r1, r2"]),
        (1, ["ssat r0, #8, r1"]),
        (12, ["sdiv r0, r1, r2"]),
        (2, ["ldr r0, [r1, #0]"]),
        # Each load after the first one takes a cycle, as long as its address waits for no load.
        (4, ["ldr r0, [r1, r5]", "ldr r1, [r2, #0]", "ldr r2, [r3, #4]"]),
        (4, ["ldr r0, [r1, #0]", "ldrb r3, [r0, #0]"]),
        # A store into the write buffer takes one; one whose address is a sum hides behind a load.
        (1, ["str r0, [r1, #4]"]),
        (2, ["str r0, [r1, r2]"]),
        (3, ["ldr r0, [r3, #0]", "str r0, [r1, r2]"]),
        # Nothing forwards an address from the arithmetic.
        (4, ["adds r1, r1, r2", "ldr r0, [r1, #0]"]),
        (3, ["adds r4, r1, r2", "ldr r0, [r1, #0]"]),
        (3, ["ldrd r0, r1, [r2, #8]"]),
        (5, ["add r2, r3, #4", "ldrd r0, r1, [r2, #8]"]),
        (5, ["add r8, sp, #64", "stm.w r8, {r0, r1}"]),
        (4, ["add r8, sp, #64", "stm.w r9, {r8, r10}"]),
        (4, ["add sp, #12", "pop {r4}"]),
        (3, ["tbb [pc, r0]"]),
        (4, ["ldmia.w r0!, {r1, r2, r3}"]),
        (5, ["push {r4, r5, r6, lr}"]),
        # A 16-bit instruction hides the IT behind it.
        (2, ["cmp r0, r1", "it gt", "movgt r0, r1"]),
        (3, ["cmp.w r0, r1", "ite gt", "movgt r0, r1"]),
    ],
    ids=str,
)
def test_timings(cycles: int, lines: list[str]) -> None:
    assert straight(*lines) == cycles


def test_an_unknown_instruction_is_refused() -> None:
    with pytest.raises(ToolchainError, match=r"vadd\.f32 .*no timing known"):
        straight("vadd.f32 s0, s1, s2")


def test_a_loop() -> None:
    """Four rounds of load, load, multiply, count down, branch: nothing before it in time hides the first load."""
    loop = code("ldrb r3, [r0, r2]", "ldrb r4, [r1, r2]", "mla r5, r3, r4, r5", "subs r2, #1", "bpl 0")
    histogram = {instruction.address: Executions(4, 0, 0) for instruction in loop}
    histogram[loop[0].address] = Executions(4, 0, 1)
    histogram[loop[-1].address] = Executions(4, 3, 0)
    found = events(loop, histogram, frames=2)
    assert found.instructions == 10
    assert found.cycles == 4 * (2 + 1 + 1 + 1 + 1) / 2
    assert found.refills == 1.5
    assert found.flash_lines == 0.5


LISTING = """
image.elf:     file format elf32-littlearm

Disassembly of section .text:

00000048 <start>:
      48:\tb500      \tpush\t{lr}
      4a:\t4811      \tldr\tr0, [pc, #68]\t@ (90 <start+0x48>)
      58:\tf022 0203 \tbic.w\tr2, r2, #3
      5c:\td207      \tbcs.n\t64 <start+0x1c>
      90:\t20004000 \t.word\t0x20004000
"""


def test_a_listing_is_read() -> None:
    push, load, clear, branch = parse(LISTING)
    assert (push.address, push.bytes, push.name, push.registers) == (0x48, 2, "push", ("lr",))
    assert (load.name, load.address_registers) == ("ldr", ("pc",))
    assert (clear.bytes, clear.name, clear.registers) == (4, "bic", ("r2", "r2"))
    assert branch.name == "bcs"
