# SPDX-License-Identifier: Apache-2.0
"""Builds the semihosting image of a generated library for one board (firmware/app, firmware/isa)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import FIRMWARE, ISA, Board

APP = FIRMWARE / "app"
FREESTANDING = ISA / "freestanding"

OPTIMIZE = ("-O3", "-std=c99", "-ffunction-sections", "-fdata-sections")

Variant = Literal["marks", "trace"]

# Everything that the DSP extension adds to Armv7-M (DDI0403, A5.1): parallel and saturating arithmetic, packing,
# extension with addition, 16-bit and most-significant-word multiplication. Armv7-M itself has SSAT and USAT.
DSP_INSTRUCTIONS = re.compile(
    r"""\t(
    (s|q|sh|u|uq|uh)(add8|add16|sub8|sub16|asx|sax) | qd?add | qd?sub | sel | usada?8 | [su]sat16 |
    pkhbt | pkhtb | [su]xta?b16 | [su]xtab | [su]xtah |
    smla[bt][bt] | smlal[bt][bt] | smul[bt][bt] | smlaw[bt] | smulw[bt] | smla?l?[as]?l?dx? | smuadx? | smusdx? |
    smm(la|ls|ul)r? | umaal
    )(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?(\.[nw])?\s""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Image:
    """A linked image and what it was made of."""

    board: Board
    elf: Path
    object: Path
    """The library's object file alone."""
    flags: tuple[str, ...]


def build(
    library: Path,
    board: Board,
    work: Path,
    variant: Variant,
    trace_bytes: int,
    options: Sequence[str] = (),
    given_bytes: int = 0,
) -> Image:
    """Build the image of the library in `library`, generated with the prefix `dyncp`, in the folder `work`.

    `marks` is the library as shipped, with labels (docs/measuring.md); `trace` also writes `trace_bytes` of stages
    per frame, of which it may be given the first `given_bytes` (firmware/constants); `options` are further ones for the
    compiler of the library, after those of all images. Raises ToolchainError if the compiler is missing or refuses, if
    the image does not fit the board, or if it holds DSP instructions that the board's core does not have.
    """
    source = library.resolve() / "dyncp.c"
    if not source.is_file():
        raise ToolchainError(f"{source}: no such file; generate the library with the prefix dyncp")
    defines = {
        "marks": ("-DDYNCP_MARKS",),
        "trace": ("-DDYNCP_TRACE", f"-DAPP_TRACE_BYTES={trace_bytes}", f"-DAPP_GIVEN_BYTES={given_bytes}"),
    }[variant]
    compiled = compile_source(source, board, work, (*defines, *options))
    main = compile_source(APP / "main.c", board, work, (*defines, "-I", str(source.parent)))
    elf = link(board, (compiled, main), work)
    return Image(board, elf, compiled, (*OPTIMIZE, *board.toolchain.flags, *options))


def compile_source(source: Path, board: Board, work: Path, options: Sequence[str] = ()) -> Path:
    """Compile one C or assembly file for `board` into the folder `work`; returns the object file."""
    work.mkdir(parents=True, exist_ok=True)
    target = f"{source.stem}.o"
    folders = [APP, ISA / board.isa, *([] if board.toolchain.has_libc else [FREESTANDING])]
    flags = (*OPTIMIZE, *toolchain.WARNINGS, *board.toolchain.flags, *options, *(f"-I{folder}" for folder in folders))
    toolchain.run([board.toolchain.compiler, *flags, "-c", source.resolve(), "-o", target], cwd=work)
    return work / target


def link(board: Board, objects: Sequence[Path], work: Path, options: Sequence[str] = ()) -> Path:
    """Link `objects` with the board's start-up into `work/image.elf`, and prove that the core can run it."""
    own = [*sorted((ISA / board.isa).glob("*.c")), *([] if board.toolchain.has_libc else [FREESTANDING / "memory.c"])]
    inputs = [compile_source(source, board, work).resolve() for source in own] + [path.resolve() for path in objects]
    (work / "memory.ld").write_text(board.memory_script())
    layout = ("-nostartfiles", "-nostdlib", "-static", "-Wl,--gc-sections,--build-id=none,-Map=image.map")
    command: list[str | Path] = [board.toolchain.compiler, *board.toolchain.flags, *layout, *options]
    command += ["-T", ISA / "sections.ld", *inputs, *board.toolchain.libraries, "-o", "image.elf"]
    toolchain.run(command, cwd=work)
    elf = work / "image.elf"
    if "dsp" in board.lacks:
        check_no_dsp(elf, board)
    return elf


def check_no_dsp(elf: Path, board: Board) -> None:
    """Raise ToolchainError if `elf` holds an instruction of the DSP extension, which QEMU would run on any core."""
    # objdump decodes them whatever architecture the file claims to be for.
    listing = toolchain.run([f"{toolchain.CROSS}objdump", "-d", elf])
    found = DSP_INSTRUCTIONS.search(listing)
    if found is not None:
        line = listing[listing.rfind("\n", 0, found.start()) + 1 : listing.find("\n", found.start())]
        raise ToolchainError(
            f"{elf}: holds an instruction that {board.core} lacks: {line.strip()}; "
            "keep DSP code behind __ARM_FEATURE_DSP"
        )
