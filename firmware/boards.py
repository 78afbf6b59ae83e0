# SPDX-License-Identifier: Apache-2.0
"""Emulated boards as data: every folder of firmware/boards that holds a `board.toml` is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, field_validator

from dyncp.train.config import StrictModel, parse, read_toml
from dyncp.train.errors import ConfigError

FOLDER = Path(__file__).parent / "boards"
COMMON = FOLDER / "common"


class Region(StrictModel):
    """A piece of the memory map, in bytes."""

    origin: int = Field(ge=0, lt=2**32)
    length: int = Field(gt=0, le=2**32)


class MemoryMap(StrictModel):
    """Where the linker puts things. Code starts with the vector table."""

    code: Region
    constants: Region | None = Field(None, description="const data; in `code` where absent")
    data: Region


class Board(StrictModel):
    """`board.toml`."""

    core: str = Field(pattern=r"^cortex-m[0-9]+$", description="the target's name in reports")
    machine: str = Field(pattern=r"^[a-z0-9-]+$", description="QEMU -machine")
    flags: tuple[str, ...] = Field(min_length=1, description="compiler flags that select the core")
    dsp: bool = Field(description="whether the core has the DSP extension (SMLAD and its kin)")
    memory: MemoryMap

    @field_validator("flags")
    @classmethod
    def _select_a_core(cls, flags: tuple[str, ...]) -> tuple[str, ...]:
        if not all(flag.startswith("-m") for flag in flags):
            raise ValueError("only machine flags (-m…) belong here")
        return flags

    def memory_script(self) -> str:
        """The memory map in the linker's language; boards/common/sections.ld includes it."""
        regions = {"CODE": self.memory.code, "CONSTANTS": self.memory.constants, "DATA": self.memory.data}
        lines = [
            f"    {name} : ORIGIN = {region.origin:#010x}, LENGTH = {region.length:#x}"
            for name, region in regions.items()
            if region is not None
        ]
        alias = "" if self.memory.constants else 'REGION_ALIAS("CONSTANTS", CODE)\n'
        return "MEMORY\n{\n" + "\n".join(lines) + "\n}\n" + alias


def load_boards(folder: Path = FOLDER) -> list[Board]:
    """All boards in `folder`, ordered by folder name. Raises ConfigError for a bad `board.toml`."""
    return [parse(Board, read_toml(path), str(path)) for path in sorted(folder.glob("*/board.toml"))]


def select(names: Sequence[str], folder: Path = FOLDER) -> list[Board]:
    """The boards whose core or machine is in `names`. Raises ConfigError for a name that no board has."""
    boards = load_boards(folder)
    known = {name for board in boards for name in (board.core, board.machine)}
    for name in names:
        if name not in known:
            raise ConfigError(f"{name}: no such board; known are {', '.join(board.core for board in boards)}")
    return [board for board in boards if board.core in names or board.machine in names]
