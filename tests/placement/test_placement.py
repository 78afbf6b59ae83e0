# SPDX-License-Identifier: Apache-2.0
"""Sections by macros: what lies where in the linked image, and that it runs from there (docs/placement.md)."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from libraries import SMALL, difficult_audio, library

from dyncp.base.config.network import NetworkConfig
from dyncp.export.integers import reference
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import ISA, Board, default_boards, select
from dyncp.firmware.building.image import APP, compile_source

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = {"CODE": ".fast_code", "TABLES": ".fast_tables", "STATE": ".fast_state", "WEIGHTS": ".external_flash"}
SECTIONS = [f'-DDYNCP_{what}_SECTION="{name}"' for what, name in NAMES.items()]
HIDDEN = SMALL.model_copy(update={"gate_site": "hidden", "pooling": "ema"})

pytestmark = pytest.mark.slow


def symbols(built: Path) -> dict[str, tuple[str, str, int]]:
    """Kind, section and address of each function and object."""
    with built.open("rb") as stream:
        elf = ELFFile(stream)
        table = elf.get_section_by_name(".symtab")
        return {
            symbol.name: (symbol["st_info"]["type"], elf.get_section(symbol["st_shndx"]).name, symbol["st_value"])
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT") and isinstance(symbol["st_shndx"], int)
        }


def called(built: Path, caller: str) -> set[str]:
    """Sections of code that the code of the section `caller` refers to, its own aside."""
    with built.open("rb") as stream:
        elf = ELFFile(stream)
        table = elf.get_section_by_name(".symtab")
        targets = [
            elf.get_section(symbol["st_shndx"])
            for entry in elf.get_section_by_name(f".rel{caller}").iter_relocations()
            if isinstance((symbol := table.get_symbol(entry["r_info_sym"]))["st_shndx"], int)
        ]
    code = SH_FLAGS.SHF_EXECINSTR
    return {section.name for section in targets if section["sh_flags"] & code} - {caller}


@pytest.mark.parametrize("config", [SMALL, HIDDEN], ids=["output", "hidden"])
@pytest.mark.parametrize("board", default_boards(), ids=lambda board: board.core)
def test_what_a_frame_calls_and_reads_is_in_its_section(board: Board, config: NetworkConfig, tmp_path: Path) -> None:
    _, folder = library(tmp_path, config)
    compiled = compile_source(folder / "dyncp.c", board, tmp_path / "work", ("-O2", *SECTIONS))
    built = symbols(compiled)
    assert built["dyncp_process"][1] == ".fast_code"
    assert built["dyncp_init"][1] != ".fast_code"
    assert called(compiled, ".fast_code") == set()
    data = {name: section for name, (kind, section, _) in built.items() if kind == "STT_OBJECT"}
    assert data["dyncp_front_weight"] == ".external_flash"
    assert data["dyncp_probe_weight"] == ".external_flash"
    assert data["dyncp_twiddle"] == ".fast_tables"
    tables = {"dyncp_window", "dyncp_twiddle", "dyncp_thresholds", "dyncp_starts", "dyncp_sigmoid"}
    assert {name for name, section in data.items() if section == ".fast_tables"} == tables


def instructions(built: Path) -> dict[str, list[str]]:
    """By function, without addresses: those depend on where the function and what it refers to lie."""
    listing = toolchain.run(["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", built])
    functions: dict[str, list[str]] = {}
    for line in listing.splitlines():
        if heading := re.fullmatch(r"[0-9a-f]+ <(.+)>:", line):
            functions[heading[1]] = []
        elif (instruction := re.match(r" *[0-9a-f]+:\t(\S+)(.*)", line)) and instruction[1] != ".word":
            name, operands = instruction.groups()
            functions[next(reversed(functions))].append(
                re.sub(r"\.[nw]$", "", name) if "<" in operands else name + operands
            )
    # What fills up to the next function's address is no part of it.
    return {name: [line for line in lines if not line.startswith("nop")] for name, lines in functions.items()}


def test_without_names_the_machine_code_is_the_same(tmp_path: Path) -> None:
    _, folder = library(tmp_path)
    (board,) = select(["cortex-m4"])
    named, plain = (
        instructions(compile_source(folder / "dyncp.c", board, tmp_path / str(len(options)), options))
        for options in (SECTIONS, [])
    )
    assert sum(map(len, plain.values())) > 1000
    assert named == plain


def test_the_image_lies_and_runs_where_the_script_says(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    (board,) = select(["mps2-an500"])
    spec = spec_from_file_location("run", EXAMPLES / "board" / "run.py")
    assert spec
    assert spec.loader
    program = module_from_spec(spec)
    spec.loader.exec_module(program)

    options = (*SECTIONS, f"-I{folder}", f"-I{EXAMPLES / 'board'}")
    sources = [folder / "dyncp.c", EXAMPLES / "board" / "main.c", EXAMPLES / "board" / "hal_files.c"]
    sources.append(ISA / board.isa / "startup.c")
    objects = [compile_source(source, board, tmp_path / "work", (*options, f"-I{APP}")) for source in sources]
    script = EXAMPLES / "placement" / "placement.ld"
    layout = ("-nostartfiles", "-nostdlib", "-static", "-Wl,--gc-sections", "-T", script)
    elf = tmp_path / "work" / "placed.elf"
    libraries = board.toolchain.libraries
    toolchain.run([board.toolchain.compiler, *board.toolchain.flags, *layout, *objects, *libraries, "-o", elf])

    placed = {name.split(".")[0]: (section, address) for name, (_, section, address) in symbols(elf).items()}
    assert placed["dyncp_process"][0] == ".fast_code"
    assert 0x200000 <= placed["dyncp_process"][1] < 0x210000
    assert placed["state"] == (".fast_state", placed["state"][1])
    assert 0x20000000 <= placed["state"][1] < 0x20020000
    assert 0x20000000 <= placed["dyncp_twiddle"][1] < 0x20020000
    assert 0x60000000 <= placed["dyncp_front_weight"][1] < 0x61000000
    assert placed["main"][1] < 0x10000
    pcm = difficult_audio()
    assert np.array_equal(program.listen(elf, board, pcm), reference.run(bundle, pcm).output)
