# SPDX-License-Identifier: Apache-2.0
"""Emulated boards as data: every folder of firmware/boards that holds a `board.toml` is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from dyncp.base.config.reading import StrictModel, parse, read_toml
from dyncp.base.errors import ConfigError

FIRMWARE = Path(__file__).parents[1]
FOLDER = FIRMWARE / "boards"
ISA = FIRMWARE / "isa"

PROGRAM = r"^[A-Za-z0-9_.+-]+$"


class Region(StrictModel):
    """A piece of the memory map, in bytes."""

    origin: int = Field(ge=0, lt=2**32)
    length: int = Field(gt=0, le=2**32)


class MemoryMap(StrictModel):
    """Where the linker puts things. Code starts with the vector table or the entry."""

    code: Region
    constants: Region | None = Field(None, description="const data; in `code` where absent")
    data: Region
    stack: int = Field(0x4000, gt=0, multiple_of=16, description="bytes of it, at the beginning of `data`")
    page: int = Field(
        16, ge=16, description="sections begin at multiples of it; an MMU's page, which has one set of rights"
    )


class Toolchain(StrictModel):
    """What compiles and links for the core."""

    compiler: str = Field(pattern=PROGRAM, description="links as well")
    flags: tuple[str, ...] = Field(min_length=1, description="compiler flags that select the core")
    libraries: tuple[str, ...] = Field(
        description="the linker's last words; without -lc, isa/freestanding is linked in"
    )

    @field_validator("flags")
    @classmethod
    def _select_a_core(cls, flags: tuple[str, ...]) -> tuple[str, ...]:
        if any(flag.startswith(("-O", "-std=", "-D", "-W")) for flag in flags):
            raise ValueError("only what selects the core belongs here: no optimization, language, macro or warning")
        return flags

    @property
    def has_libc(self) -> bool:
        return "-lc" in self.libraries


class Emulators(StrictModel):
    """What runs images: QEMU every board, the others those that name a model for them."""

    qemu: tuple[str, ...] = Field(
        min_length=2, description="QEMU's command; {image} stands for the image's name. User mode takes no semihosting"
    )
    unicorn: str | None = Field(None, pattern=r"^[A-Z0-9_]+$", description="CPU model, as in UC_CPU_ARM_… of Unicorn")
    renode: str | None = Field(None, pattern=r"^[a-z0-9-]+$", description="cpuType of Renode's CPU.CortexM")

    @field_validator("qemu")
    @classmethod
    def _run_an_image(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not re.match(r"qemu-[a-z0-9-]+$", words[0]) or not any("{image}" in word for word in words):
            raise ValueError("begins with a program qemu-… and says where {image} goes")
        return words


class Board(StrictModel):
    """`board.toml`; `name` is that of its folder."""

    name: str
    core: str = Field(pattern=r"^[a-z0-9-]+$", description="the target's name in reports")
    isa: str = Field(pattern=r"^[a-z0-9-]+$", description="folder of firmware/isa: start-up and calls to the emulator")
    default: bool = Field(description="whether it is validated where no board is named")
    lacks: tuple[Literal["dsp"], ...] = Field(
        (), description="extensions that the core lacks and its emulator has: every build must be without"
    )
    toolchain: Toolchain
    emulators: Emulators
    memory: MemoryMap

    @field_validator("isa")
    @classmethod
    def _is_there(cls, isa: str) -> str:
        if not (ISA / isa / "startup.c").is_file():
            raise ValueError(f"{ISA / isa} has no startup.c")
        return isa

    def memory_script(self) -> str:
        """The memory map in the linker's language; isa/sections.ld includes it."""
        regions = {"CODE": self.memory.code, "CONSTANTS": self.memory.constants, "DATA": self.memory.data}
        lines = [
            f"    {name} : ORIGIN = {region.origin:#010x}, LENGTH = {region.length:#x}"
            for name, region in regions.items()
            if region is not None
        ]
        alias = "" if self.memory.constants else 'REGION_ALIAS("CONSTANTS", CODE)\n'
        return (
            "MEMORY\n{\n"
            + "\n".join(lines)
            + "\n}\n"
            + alias
            + f"PAGE = {self.memory.page:#x};\nSTACK = {self.memory.stack:#x};\n"
        )


def load_boards(folder: Path = FOLDER) -> list[Board]:
    """All boards in `folder`, ordered by folder name. Raises ConfigError for a bad `board.toml`."""
    found = sorted(folder.glob("*/board.toml"))
    return [parse(Board, {"name": path.parent.name, **read_toml(path)}, str(path)) for path in found]


def default_boards(folder: Path = FOLDER) -> list[Board]:
    """The boards that are validated where none is named."""
    return [board for board in load_boards(folder) if board.default]


def select(names: Sequence[str], folder: Path = FOLDER) -> list[Board]:
    """The boards whose core or folder is in `names`. Raises ConfigError for a name that no board has."""
    boards = load_boards(folder)
    known = {name for board in boards for name in (board.core, board.name)}
    for name in names:
        if name not in known:
            raise ConfigError(f"{name}: no such board; known are {', '.join(board.core for board in boards)}")
    return [board for board in boards if board.core in names or board.name in names]
