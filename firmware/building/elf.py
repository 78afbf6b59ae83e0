# SPDX-License-Identifier: Apache-2.0
"""Addresses and sizes, read from ELF files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

from dyncp.base.errors import ToolchainError

PROBES = re.compile(r"_probe(s|_row|_weight|_silence|_start|_bias)$")
"""Ends the names of a probe set's constants."""

MODEL_INDEPENDENT = re.compile(r"_(window|twiddle|thresholds|starts|sigmoid|reversed|ones)$")
"""Ends the names of the front end's constants (docs/arithmetic.md, sections 2 to 5) and of the kernels'; what is
neither these nor the probes' is the network's."""


SWITCH = re.compile(r"\.CSWTCH\.")
"""Names what gcc makes of a `switch`; with the texts of statuses it counts as code."""


@dataclass(frozen=True)
class LibraryBytes:
    """What the library alone puts into flash."""

    weights: int
    tables: int
    probes: int
    code: int


@dataclass(frozen=True)
class ImageBytes:
    """What a whole image takes, its stack region left out."""

    flash: int
    ram: int


def addresses(elf: Path, names: Sequence[str]) -> list[int]:
    """Addresses of code symbols, the Thumb bit cleared. Raises ToolchainError for a missing symbol."""
    with elf.open("rb") as stream:
        tables = [s for s in _open(stream, elf).iter_sections() if isinstance(s, SymbolTableSection)]
        found = {symbol.name: symbol["st_value"] & ~1 for table in tables for symbol in table.iter_symbols()}
    missing = [name for name in names if name not in found]
    if missing:
        raise ToolchainError(f"{elf}: has no symbol {missing[0]}; build the library with -DDYNCP_MARKS")
    return [found[name] for name in names]


def library_bytes(path: Path) -> LibraryBytes:
    """Sizes of a library's object file, compiled with -fdata-sections: one section per constant, named after it."""
    sizes = dict.fromkeys(("weights", "tables", "probes", "code"), 0)
    for section in _allocated(path):
        if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR:
            sizes["code"] += section["sh_size"]
        elif not section["sh_flags"] & SH_FLAGS.SHF_WRITE:
            texts = section["sh_flags"] & SH_FLAGS.SHF_STRINGS or SWITCH.search(section.name)
            sizes["code" if texts else _kind(section.name)] += section["sh_size"]
    return LibraryBytes(**sizes)


def _kind(constant: str) -> str:
    if PROBES.search(constant):
        return "probes"
    return "tables" if MODEL_INDEPENDENT.search(constant) else "weights"


def image_bytes(elf: Path) -> ImageBytes:
    """Flash: every section with contents. RAM: every writable section but the stack region."""
    flash, ram = 0, 0
    for section in _allocated(elf):
        if section["sh_type"] != "SHT_NOBITS":
            flash += section["sh_size"]
        if section["sh_flags"] & SH_FLAGS.SHF_WRITE and section.name != ".stack":
            ram += section["sh_size"]
    return ImageBytes(flash, ram)


def _allocated(path: Path) -> list[Section]:
    with path.open("rb") as stream:
        return [s for s in _open(stream, path).iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_ALLOC]


def _open(stream: IO[bytes], path: Path) -> ELFFile:
    try:
        return ELFFile(stream)
    except ELFError as error:
        raise ToolchainError(f"{path}: not an ELF file ({error}); build it again") from None
