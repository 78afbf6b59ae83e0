# SPDX-License-Identifier: Apache-2.0
"""Runs an image of a Cortex-M in Unicorn, with semihosting and exact instruction counts.

Unicorn is a library that executes instructions and nothing else: memory and a host to call are provided here. Its
blocks of code are counted as firmware/emulators/plugin/marks.c counts QEMU's.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile
from unicorn import (
    UC_ARCH_ARM,
    UC_HOOK_BLOCK,
    UC_HOOK_CODE,
    UC_HOOK_INTR,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    Uc,
    UcError,
    __version__,
)
from unicorn import arm_const as arm

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building.boards import Board
from dyncp.firmware.emulators.counting import Marks
from dyncp.firmware.emulators.semihosting import Host

PAGE = 0x1000
SEMIHOSTING = b"\xab\xbe"
"""BKPT 0xAB."""


COUNTS = True
"""Whether this emulator writes the file of `marks`."""


def run_image(
    elf: Path, board: Board, arguments: Sequence[str], *, timeout_s: float, marks: Marks | None = None
) -> Host:
    """Run `elf` until it exits; returns its host, with its status and what it printed.

    Raises ToolchainError for a core that Unicorn has no model of, a crash, and a run longer than `timeout_s`.
    """
    uc = _machine(elf, board)
    counter = None if marks is None else _Counter(uc, marks)
    uc.hook_add(UC_HOOK_INTR, lambda uc, *_: uc.emu_stop())
    stack, at = np.frombuffer(uc.mem_read(board.memory.code.origin, 8), "<u4").tolist()
    uc.reg_write(arm.UC_ARM_REG_SP, stack)
    deadline = time.monotonic() + timeout_s
    with Host(elf.parent, arguments, uc.mem_read, uc.mem_write) as host:
        while host.status is None:
            try:
                # A limit of 0 would be none.
                uc.emu_start(at | 1, 0, timeout=max(1, round((deadline - time.monotonic()) * 1e6)))
            except UcError as error:
                raise _failure(uc, host, str(error)) from None
            at = uc.reg_read(arm.UC_ARM_REG_PC)
            if uc.mem_read(at, 2) != SEMIHOSTING:
                late = time.monotonic() >= deadline
                raise _failure(uc, host, f"still running after {timeout_s:g} s" if late else "exception")
            operation, block = uc.reg_read(arm.UC_ARM_REG_R0), uc.reg_read(arm.UC_ARM_REG_R1)
            uc.reg_write(arm.UC_ARM_REG_R0, host.call(operation, block) & 0xFFFFFFFF)
            at += len(SEMIHOSTING)
    if counter is not None and marks is not None:
        np.array(counter.events, "<i8").tofile(elf.parent / marks.out)
    return host


def _failure(uc: Uc, host: Host, what: str) -> ToolchainError:
    return ToolchainError(f"unicorn: {what} at pc {uc.reg_read(arm.UC_ARM_REG_PC):#010x}\n{host.printed}")


def _machine(elf: Path, board: Board) -> Uc:
    """The core and its memory, loaded with the image."""
    if board.emulators.unicorn is None:
        raise ToolchainError(f"{board.core}: Unicorn has no model of this core (board.toml: emulators.unicorn)")
    uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(getattr(arm, f"UC_CPU_ARM_{board.emulators.unicorn}"))
    for region in (board.memory.code, board.memory.constants, board.memory.data):
        if region is not None:
            uc.mem_map(region.origin, -(-region.length // PAGE) * PAGE)
    with elf.open("rb") as stream:
        for segment in ELFFile(stream).iter_segments("PT_LOAD"):
            uc.mem_write(segment["p_paddr"], segment.data())
    return uc


class _Counter:
    """Counts instructions, and notes the count at each mark, as firmware/emulators/plugin/marks.c does."""

    def __init__(self, uc: Uc, marks: Marks) -> None:
        self.uc, self.count, self.end = uc, 0, 0
        self.events: list[tuple[int, int]] = []
        self.lengths: dict[tuple[int, int], int] = {}
        self.marked: defaultdict[int, list[int]] = defaultdict(list)
        for index, address in enumerate(marks.addresses):
            self.marked[address].append(index)
        uc.hook_add(UC_HOOK_BLOCK, self._entered)
        for address in self.marked:
            uc.hook_add(UC_HOOK_CODE, self._passed, begin=address, end=address)

    def _entered(self, _uc: Uc, address: int, size: int, _: object) -> None:
        self.end = address + size
        self.count += self._instructions(address, size)

    def _passed(self, _uc: Uc, address: int, _size: int, _: object) -> None:
        before = self.count - self._instructions(address, self.end - address)
        self.events += [(mark, before) for mark in self.marked[address]]

    def _instructions(self, address: int, size: int) -> int:
        """In `size` bytes of Thumb code, which begin and end with an instruction."""
        known = self.lengths.get((address, size))
        if known is None:
            words = np.frombuffer(self.uc.mem_read(address, size), "<u2").tolist()
            known = at = 0
            while at < len(words):
                # Halfwords from 0xE800 on begin an instruction of two (Armv7-M, A5.1).
                at += 2 if words[at] >= 0xE800 else 1
                known += 1
            self.lengths[address, size] = known
        return known


def version() -> str:
    """Name and version, for records."""
    return f"unicorn {__version__}"
