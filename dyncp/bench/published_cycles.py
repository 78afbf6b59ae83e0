# SPDX-License-Identifier: Apache-2.0
"""The estimate of cycles (docs/cycles.md) beside published counts of the same machine code.

Takes clones of public repositories, assembles routines of theirs for the emulated Cortex-M4, checks what they compute
against their standard's example, counts executions and prints both. docs/cycles.md says which clones, and where each
published figure stands.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import elf
from dyncp.firmware.building.boards import Board, select
from dyncp.firmware.building.disassembly import disassemble
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.cost.cycles import CORE, events
from dyncp.firmware.cost.estimate import NO_WAIT, estimate
from dyncp.firmware.cost.events import CycleEstimate
from dyncp.firmware.emulators.emulate import run_image
from dyncp.firmware.emulators.histogram import Histogram, build_plugin, read_histogram

OUT = Path("build/published")
CALLER = Path(__file__).parent / "call_published.c"
BYTES = {"key": 32, "text": 32, "round_keys": 176, "out": 32}
"""Memory of the caller, in its order."""


@dataclass(frozen=True)
class Example:
    """What a standard says that comes out of what."""

    key: str
    text: str
    result: str


KEY, TEXT = bytes(range(16)).hex(), bytes(range(0, 256, 17)).hex()
LAST_ROUND_KEY = Example(KEY, TEXT, "13111d7fe3944a17f307a78b4d2b30c5")
CIPHER = Example(KEY, TEXT, "69c4e0d86a7b0430d8cdb78070b4c55a")
"""FIPS 197, appendix C.1."""

SHARED_SECRET = Example(
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
)
"""RFC 7748, section 5.2."""


@dataclass(frozen=True)
class Routine:
    clone: str
    sources: tuple[str, ...]
    call: str
    cycles: float
    """Published: on an STM32F407 without wait states; of `curve25519_scalarmult`, counted by hand."""
    example: Example
    prepare: str = ""

    @property
    def name(self) -> str:
        return self.call.partition("(")[0]


SCHWABE, OLEKSIEWICZ, LENNGREN = "aes-armcortexm", "cortexm-AES", "X25519-Cortex-M4"
UNROLLED = ("aes128/aes.s",)
SCHEDULE = "aes/target/CM3_1T/CM3_1T_AES128_keyschedule_enc.S"
TABLES = (SCHEDULE, "aes/target/CM3_1T/CM3_1T_AES_encrypt.S")
DSP = (SCHEDULE, "aes/target/CM4_DSPsBOX/CM4_DSPsBOX_AES_encrypt.S")
LADDER = ("x25519-cortex-m4-gcc.s",)
EXPAND = "AES_128_keyschedule(memory.key, memory.round_keys + 16)"
EXPAND_LOOP = "CM3_1T_AES128_keyschedule_enc(memory.round_keys, memory.key)"
BLOCK = "memory.round_keys, memory.text, memory.out"

ROUTINES = (
    Routine(SCHWABE, UNROLLED, EXPAND, 254.9, LAST_ROUND_KEY),
    Routine(SCHWABE, UNROLLED, f"AES_128_encrypt({BLOCK})", 644.7, CIPHER, EXPAND),
    Routine(OLEKSIEWICZ, TABLES, EXPAND_LOOP, 302, LAST_ROUND_KEY),
    Routine(OLEKSIEWICZ, TABLES, f"CM3_1T_AES_encrypt({BLOCK}, 10)", 626, CIPHER, EXPAND_LOOP),
    Routine(OLEKSIEWICZ, DSP, f"CM4_DSPsBOX_AES_encrypt({BLOCK}, 10)", 844, CIPHER, EXPAND_LOOP),
    Routine(LENNGREN, LADDER, "curve25519_scalarmult(memory.out, memory.key, memory.text)", 548_873, SHARED_SECRET),
)


def aes_tables() -> str:
    """Assembly of the substitution box and of its multiples s, 2s, 3s, s that Oleksiewicz's routines read, in RAM."""
    box = [0] * 256
    value = inverse = 1
    for _ in range(255):
        turned = [(inverse << turn | inverse >> 8 - turn) & 255 for turn in range(5)]
        box[value] = turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63
        value = value ^ _double(value)
        for shift in (1, 2, 4):
            inverse ^= inverse << shift & 255
        inverse ^= 9 * (inverse >> 7)
    box[0] = 0x63
    words = (s << 24 | _double(s) << 16 | (s ^ _double(s)) << 8 | s for s in box)
    lines = [".data", ".balign 4", ".global AES_Te2, AES_sbox", "AES_Te2:", *(f".word {word:#x}" for word in words)]
    return "\n".join([*lines, "AES_sbox:", *(f".byte {byte:#x}" for byte in box)]) + "\n"


def _double(byte: int) -> int:
    return byte << 1 & 255 ^ 0x1B * (byte >> 7)


def measure(routine: Routine, clone: Path, board: Board, work: Path) -> CycleEstimate:
    """Raises ToolchainError for a source that is not there, and for a result that is not the example's."""
    missing = [source for source in routine.sources if not (clone / source).is_file()]
    if missing:
        raise ToolchainError(f"{clone / missing[0]}: not found; docs/cycles.md says which commit to clone")
    work.mkdir(parents=True, exist_ok=True)
    (work / "tables.S").write_text(aes_tables(), encoding="utf-8")
    given = {"key": routine.example.key, "text": routine.example.text, "round_keys": routine.example.key}
    memory = b"".join(bytes.fromhex(given.get(name, "")).ljust(size, b"\0") for name, size in BYTES.items())
    (work / "in.bin").write_bytes(memory)
    options = (f"-DPREPARE={routine.prepare}", f"-DCALL={routine.call}")
    sources = (work / "tables.S", *(clone / source for source in routine.sources))
    objects = [compile_source(CALLER, board, work, options), *(compile_source(s, board, work) for s in sources)]
    image = link(board, objects, work)
    begin, end = elf.addresses(image, ("call_begin", "call_end"))
    code = board.memory.code
    counted = Histogram(build_plugin(work), begin, end, (code.origin, code.origin + code.length), "histogram.bin")
    run_image(image, board, [], timeout_s=60, marks=counted)
    if bytes.fromhex(routine.example.result) not in (work / "out.bin").read_bytes():
        raise ToolchainError(f"{routine.name}: not the result of the standard's example")
    return estimate(events(disassemble(image), read_histogram(work / counted.out), frames=1), NO_WAIT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path, nargs="+", help=f"folders {SCHWABE}, {OLEKSIEWICZ}, {LENNGREN}, or some")
    clones = {clone.resolve().name: clone.resolve() for clone in parser.parse_args().clones}
    board = select([CORE])[0]
    table = Table("routine", "instructions", "published", "estimate", "ratio", "P = 1 … 3")
    for routine in ROUTINES:
        if routine.clone in clones:
            found = measure(routine, clones[routine.clone], board, OUT / routine.name)
            cells = (f"{found.instructions:,.0f}", f"{routine.cycles:,}", f"{found.estimate:,.0f}")
            ratio = f"{found.estimate / routine.cycles:.3f}"
            table.add_row(routine.name, *cells, ratio, f"{found.low:,.0f} … {found.high:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
