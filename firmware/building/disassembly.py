# SPDX-License-Identifier: Apache-2.0
"""Machine code of an image as instructions, read from objdump's listing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dyncp.firmware.building import toolchain

# "    8004:	f8d3 2004 	ldr.w	r2, [r3, #4]	@ comment"
_LINE = re.compile(r"^ *([0-9a-f]+):\t((?:[0-9a-f]{4} ?)+)\s*\t(\S+)(?:\t([^@;\n]*))?", re.MULTILINE)
_REGISTER = re.compile(r"\b(r\d+|sl|fp|ip|sp|lr|pc)\b")


@dataclass(frozen=True)
class Instruction:
    address: int
    bytes: int
    name: str
    """Mnemonic with its condition, without its width."""
    operands: str

    @property
    def registers(self) -> tuple[str, ...]:
        """Of all operands, in their order."""
        return tuple(_REGISTER.findall(self.operands))

    @property
    def address_registers(self) -> tuple[str, ...]:
        """Those between brackets."""
        bracket = re.search(r"\[(.*?)\]", self.operands)
        return () if bracket is None else tuple(_REGISTER.findall(bracket[1]))


def disassemble(elf: Path) -> list[Instruction]:
    """All instructions of `elf`, in the order of their addresses. Raises ToolchainError."""
    return parse(toolchain.run([f"{toolchain.CROSS}objdump", "-d", elf]))


def parse(listing: str) -> list[Instruction]:
    """Those of a listing of objdump; data between the functions are left out."""
    found = [
        Instruction(int(address, 16), len(words.split()) * 2, re.sub(r"\.[nw]$", "", name), operands.strip())
        for address, words, name, operands in _LINE.findall(listing)
        if not name.startswith(".")
    ]
    return sorted(found, key=lambda instruction: instruction.address)
