# SPDX-License-Identifier: Apache-2.0
"""Timings of the Cortex-M0+, and what follows from them."""

from __future__ import annotations

import pytest

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building.disassembly import Instruction
from dyncp.firmware.cost.armv6m import CORE, cost, events
from dyncp.firmware.cost.estimate import NO_WAIT, estimate
from dyncp.firmware.emulators.histogram import Executions

TIMINGS = {
    ("adds", "r0, r1, r2"): 1,
    ("muls", "r0, r1"): 1,
    ("cmp", "r0, #3"): 1,
    ("lsrs", "r0, r1, #4"): 1,
    ("sxtb", "r0, r1"): 1,
    ("bne", "8000 <f>"): 1,
    ("bx", "lr"): 1,
    ("bl", "8000 <f>"): 2,
    ("ldr", "r0, [r1, #4]"): 2,
    ("ldrsh", "r0, [r1, r2]"): 2,
    ("strb", "r0, [r1]"): 2,
    ("ldmia", "r0!, {r1, r2, r3}"): 4,
    ("push", "{r4, r5, lr}"): 4,
    ("pop", "{r4, r5}"): 3,
    ("pop", "{r4, r5, pc}"): 5,
}


@pytest.mark.parametrize(("instruction", "cycles"), TIMINGS.items(), ids=lambda value: str(value))
def test_timings(instruction: tuple[str, str], cycles: int) -> None:
    assert cost(Instruction(0, 2, *instruction)) == cycles


def test_an_instruction_without_a_timing_is_named() -> None:
    with pytest.raises(ToolchainError, match=r"smull r0, r1, r2, r3: no timing known"):
        cost(Instruction(0, 4, "smull", "r0, r1, r2, r3"))


def test_a_loop() -> None:
    code = [
        Instruction(0, 2, "ldrb", "r0, [r1, r2]"),
        Instruction(2, 2, "subs", "r2, #1"),
        Instruction(4, 2, "bne", "0 <f>"),
        Instruction(6, 2, "svc", "0"),  # never ran: needs no timing
    ]
    counted = {0: Executions(10, 0, 3), 2: Executions(10, 0, 0), 4: Executions(10, 9, 0)}
    found = events(code, counted, frames=1)
    assert (found.instructions, found.cycles, found.refills, found.flash_lines) == (30, 40, 9, 3)
    cycles = estimate(found, NO_WAIT, CORE)
    # Of a Cortex-M0+ a branch taken is two cycles, of a Cortex-M0 three.
    assert (cycles.low, cycles.estimate, cycles.high) == (49, 49, 58)
