# SPDX-License-Identifier: Apache-2.0
"""Runs an image of a Cortex-M in Renode, with semihosting served over Renode's GDB server.

The platform (`board.repl`) and the script (`run.resc`) are made from board.toml. Renode's own semihosting has no files,
so every BKPT 0xAB of the image becomes a breakpoint at which this side acts. No instructions are counted.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board
from dyncp.firmware.emulators.counting import Marks
from dyncp.firmware.emulators.gdb import Gdb, connect, free_port
from dyncp.firmware.emulators.semihosting import Host

COUNTS = False
PLATFORM, SCRIPT, LOG = "board.repl", "run.resc", "renode.txt"

R0, R1, PC = 0, 1, 15
SEMIHOSTING = b"\xab\xbe"


def platform(board: Board) -> str:
    """The board as a platform description: core, interrupt controller and memory."""
    memory = board.memory
    regions = {"code": memory.code, "constants": memory.constants, "data": memory.data}
    lines = [
        "nvic: IRQControllers.NVIC @ sysbus 0xE000E000",
        "    -> cpu@0",
        "cpu: CPU.CortexM @ sysbus",
        f'    cpuType: "{board.emulators.renode}"',
        "    nvic: nvic",
    ]
    for name, region in regions.items():
        if region is not None:
            lines += [f"{name}: Memory.MappedMemory @ sysbus {region.origin:#010x}", f"    size: {region.length:#x}"]
    return "\n".join(lines) + "\n"


def script(board: Board, image: str, port: int) -> str:
    """What Renode is told: a machine that waits for the client of its GDB server at `port`."""
    return f"""mach create
machine LoadPlatformDescription @{PLATFORM}
sysbus LoadELF @{image}
sysbus.cpu VectorTableOffset {board.memory.code.origin:#x}
machine StartGdbServer {port}
"""


def run_image(
    elf: Path, board: Board, arguments: Sequence[str], *, timeout_s: float, marks: Marks | None = None
) -> Host:
    """Run `elf` until it exits; returns its host, with its status and what it printed. `marks` are not noted.

    Raises ToolchainError if Renode is not on PATH or has no model of the core, for a crash, and for a run longer than
    `timeout_s`.
    """
    del marks
    if board.emulators.renode is None:
        raise ToolchainError(f"{board.core}: Renode has no model of this core (board.toml: emulators.renode)")
    program, port = toolchain.find("renode"), free_port()
    (elf.parent / PLATFORM).write_text(platform(board))
    (elf.parent / SCRIPT).write_text(script(board, elf.name, port))
    command = [program, "--disable-xwt", "--console", "--plain", SCRIPT]
    with (
        (elf.parent / LOG).open("wb") as log,
        subprocess.Popen(command, cwd=elf.parent, stdin=subprocess.PIPE, stdout=log, stderr=log) as process,
    ):
        try:
            with connect(port, process) as connection:
                return serve(connection, elf, arguments, timeout_s)
        finally:
            process.kill()


def serve(connection: socket.socket, elf: Path, arguments: Sequence[str], timeout_s: float) -> Host:
    """Let the target behind a GDB server run `elf` until it exits, serving its semihosting calls."""
    deadline, gdb = time.monotonic() + timeout_s, Gdb(connection)
    calls = _semihosting_calls(elf)
    for address in calls:
        gdb.break_at(address, len(SEMIHOSTING))
    with Host(elf.parent, arguments, gdb.read_memory, gdb.write_memory) as host:
        while host.status is None:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                gdb.resume()
            except ToolchainError as error:
                what = f"still running after {timeout_s:g} s" if time.monotonic() >= deadline else str(error)
                raise ToolchainError(f"{elf}: {what}\n{host.printed}") from None
            at = gdb.read_register(PC)
            if at not in calls:
                raise ToolchainError(f"{elf}: stopped at pc {at:#010x}, where no call is\n{host.printed}")
            result = host.call(gdb.read_register(R0), gdb.read_register(R1))
            gdb.write_register(R0, result & 0xFFFFFFFF)
            gdb.write_register(PC, at + len(SEMIHOSTING))
    return host


def version() -> str:
    """Name and version, for records."""
    return toolchain.version("renode")


def _semihosting_calls(elf: Path) -> set[int]:
    """Addresses of all halfwords in the code that are BKPT 0xAB; a breakpoint in a constant is never reached."""
    with elf.open("rb") as stream:
        code = [s for s in ELFFile(stream).iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_EXECINSTR]
        return {
            section["sh_addr"] + at
            for section in code
            for at in range(0, section["sh_size"], 2)
            if section.data()[at : at + 2] == SEMIHOSTING
        }
