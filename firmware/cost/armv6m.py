# SPDX-License-Identifier: Apache-2.0
"""An estimate of the cycles of a Cortex-M0+, as in the RP2040, and of a Cortex-M0 as its upper end (docs/cycles.md).

The timings are those of Arm's Cortex-M0+ Technical Reference Manual (DDI 0484), table 3-1 "Cortex-M0+ instruction
summary", with the multiplier of one cycle. The Cortex-M0 (DDI 0432, table 3-1) refills a stage more after a branch.
An estimate: no emulator knows what a core takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building.disassembly import Instruction
from dyncp.firmware.cost.events import CycleEvents
from dyncp.firmware.emulators.histogram import Executions

CORE = "cortex-m0"

_CONDITION = "(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_ONE = re.compile(
    f"b{_CONDITION}|bx|blx|"
    r"(?:add|adc|sub|sbc|rsb|neg|mov|mvn|mul|and|orr|eor|bic|lsl|lsr|asr|ror)s?|adr|addw|"
    r"cmp|cmn|tst|[su]xt[bh]|rev|rev16|revsh|nop"
)
_SINGLE = re.compile("(?:ldr(?:s?[bh])?|str[bh]?)")
_MULTIPLE = re.compile("(?:ldm|stm)(?:ia)?|push|pop")


def cost(instruction: Instruction) -> int:
    """Cycles of one execution, a refill of the pipeline apart. Raises ToolchainError for one without a known timing."""
    name = instruction.name
    if _ONE.fullmatch(name):
        return 1
    if name == "bl" or _SINGLE.fullmatch(name):
        return 2
    if _MULTIPLE.fullmatch(name):
        listed = Instruction(0, 0, "", instruction.operands[instruction.operands.index("{") :]).registers
        # A return takes a cycle more than a branch.
        return 1 + len(listed) + ("pc" in listed)
    raise ToolchainError(f"{name} {instruction.operands}: no timing known for this instruction; add it to armv6m.py")


def events(code: Iterable[Instruction], histogram: Mapping[int, Executions], frames: int) -> CycleEvents:
    """What `frames` frames came to, per frame. Raises ToolchainError for code that ran and has no known timing."""
    ran = {instruction.address: instruction for instruction in code if instruction.address in histogram}
    return CycleEvents(
        instructions=sum(own.ran for own in histogram.values()) / frames,
        cycles=sum(cost(ran[address]) * own.ran for address, own in histogram.items() if own.ran) / frames,
        refills=sum(own.departures for own in histogram.values()) / frames,
        flash_lines=sum(own.lines for own in histogram.values()) / frames,
    )
