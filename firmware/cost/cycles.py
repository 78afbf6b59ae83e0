# SPDX-License-Identifier: Apache-2.0
"""An estimate of the cycles of a Cortex-M4 (docs/cycles.md): the instruction timings of its manual, instruction by
instruction, times how often each one ran. An estimate: no emulator knows what a core takes.

The timings are those of Arm's Cortex-M4 Technical Reference Manual (Arm 100166, before that DDI 0439), sections 3.3.1
"Cortex-M4 instructions" and 3.3.2 "Load/store timings". docs/cycles.md holds them against published counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building.disassembly import Instruction
from dyncp.firmware.building.image import DSP_INSTRUCTIONS
from dyncp.firmware.cost.events import CycleEvents
from dyncp.firmware.emulators.histogram import Executions

CORE = "cortex-m4"
"""The one core whose manual gives timings that add up: single issue, three stages, no cache."""

DIVISION = 12
"""2 to 12, by the operands; the dearest."""

_CONDITION = "(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_IF_THEN = re.compile(r"it[te]{0,3}")
_BRANCH = re.compile(f"(?:b|bl|bx|blx){_CONDITION}|cbn?z")
_TABLE_BRANCH = re.compile("tb[bh]")
_DIVIDE = re.compile(f"[su]div{_CONDITION}")
_MULTIPLE = re.compile(f"(?:ldm|stm)(?:ia|db|fd|ea)?{_CONDITION}|push{_CONDITION}|pop{_CONDITION}")
_DOUBLE = re.compile(f"(?:ldrd|strd){_CONDITION}")
_LOAD = re.compile(f"ldr(?:s?[bh])?{_CONDITION}")
_STORE = re.compile(f"str[bh]?{_CONDITION}")
_COMPARE = re.compile(f"(?:cmp|cmn|tst|teq){_CONDITION}")
_LONG = re.compile(f"[su]m(?:ul|la)l{_CONDITION}")
_ONE = re.compile(
    r"(?:adds?|adcs?|addw|adr|subs?|subw|sbcs?|rsbs?|negs?|movs?|movw|movt|mvns?|muls?|mla|mls|ands?|orrs?|orns?|eors?|bics?|"
    r"lsls?|lsrs?|asrs?|rors?|rrxs?|[su]xt[bh]|[su]bfx|bfi|bfc|clz|rbit|rev|rev16|revsh|[su]sat|nop|mrs)" + _CONDITION
)


@dataclass(frozen=True)
class Cost:
    """Cycles of one execution, apart from refills of the pipeline and wait states."""

    alone: int
    pipelined: int
    """Where the instruction before it in memory came before it in time as well."""


def cost(instruction: Instruction, before: Instruction | None) -> Cost:
    """`before` is the one before it in memory. Raises ToolchainError for an instruction without a known timing."""
    name = instruction.name
    if _IF_THEN.fullmatch(name):
        return Cost(1, 0 if before is not None and before.bytes == 2 else 1)
    if _is_single(instruction):
        return _single(instruction, before)
    if _MULTIPLE.fullmatch(name) or _DOUBLE.fullmatch(name):
        alone = 3 if _DOUBLE.fullmatch(name) else 1 + len(_listed(instruction))
        return Cost(alone, alone + _waits(_address(instruction), before))
    if _TABLE_BRANCH.fullmatch(name):
        # Two for the load, one for the addition.
        return _same(3)
    if _DIVIDE.fullmatch(name):
        return _same(DIVISION)
    if any(kind.fullmatch(name) for kind in (_BRANCH, _COMPARE, _LONG, _ONE)) or DSP_INSTRUCTIONS.match(f"\t{name} "):
        return _same(1)
    raise ToolchainError(f"{name} {instruction.operands}: no timing known for this instruction; add it to cycles.py")


def events(code: Iterable[Instruction], histogram: Mapping[int, Executions], frames: int) -> CycleEvents:
    """What `frames` frames came to, per frame. Raises ToolchainError for code that ran and has no known timing."""
    cycles = 0
    never = Executions(0, 0, 0)
    for before, instruction in pairwise((None, *code)):
        assert instruction is not None
        own = histogram.get(instruction.address, never)
        if not own.ran:
            continue
        adjacent = before is not None and before.address + before.bytes == instruction.address
        previous = before if adjacent else None
        through = 0
        if previous is not None:
            its = histogram.get(previous.address, never)
            through = min(own.ran, its.ran - its.departures)
        price = cost(instruction, previous)
        cycles += price.alone * (own.ran - through) + price.pipelined * through
    return CycleEvents(
        instructions=sum(own.ran for own in histogram.values()) / frames,
        cycles=cycles / frames,
        refills=sum(own.departures for own in histogram.values()) / frames,
        flash_lines=sum(own.lines for own in histogram.values()) / frames,
    )


def _same(cycles: int) -> Cost:
    return Cost(cycles, cycles)


def _is_single(instruction: Instruction) -> bool:
    """A load or store of one register."""
    return any(kind.fullmatch(instruction.name) for kind in (_LOAD, _STORE))


def _single(instruction: Instruction, before: Instruction | None) -> Cost:
    address = _address(instruction)
    if _STORE.fullmatch(instruction.name) and re.search(r"\[\w+(, #-?\d+)?\]$", instruction.operands):
        # Straight into the write buffer.
        return Cost(1, 1 + _waits(address, before))
    follows_load = before is not None and _LOAD.fullmatch(before.name) is not None
    if follows_load and before is not None and before.registers[0] not in address:
        return Cost(2, 1)
    return Cost(2, 2 + _waits(address, before))


def _address(instruction: Instruction) -> tuple[str, ...]:
    """Registers that a load or store computes its address from."""
    if not _MULTIPLE.fullmatch(instruction.name):
        return instruction.address_registers
    return ("sp",) if instruction.name.startswith(("push", "pop")) else instruction.registers[:1]


def _waits(address: tuple[str, ...], before: Instruction | None) -> int:
    """One cycle for an address that the instruction before has computed: nothing forwards it."""
    return int(before is not None and not set(_computed(before)).isdisjoint(address))


def _computed(instruction: Instruction) -> tuple[str, ...]:
    """Registers that a data-processing instruction writes."""
    name, registers = instruction.name, instruction.registers
    if _LONG.fullmatch(name):
        return registers[:2]
    data = _ONE.fullmatch(name) or DSP_INSTRUCTIONS.match(f"\t{name} ")
    return registers[:1] if data else ()


def _listed(instruction: Instruction) -> tuple[str, ...]:
    """Registers between braces."""
    listed = instruction.operands[instruction.operands.index("{") :]
    return Instruction(0, 0, "", listed).registers
