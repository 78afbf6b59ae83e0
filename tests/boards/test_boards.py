# SPDX-License-Identifier: Apache-2.0
"""A board is a folder with a `board.toml`: what it must hold, and that every core of it starts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from every_board import EVERY_BOARD

from dyncp.base.errors import ConfigError, ToolchainError
from dyncp.firmware.building import elf as elf_file
from dyncp.firmware.building.boards import FOLDER, Board, default_boards, load_boards, select
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.emulators.emulate import CONSOLE, run_image

PROGRAM = """
#include "semihosting.h"

const uint32_t constant[1] = {0x12345678u};
uint32_t initialized[2] = {7, 9};
uint32_t zeroed[1000];

int main(void) {
    static char line[64];
    for (int i = 0; i < 1000; ++i) {
        if (zeroed[i] != 0) return 1;
    }
    if (*(volatile const uint32_t *)constant != 0x12345678u || initialized[1] != 9) return 2;
    if (semihosting_command_line(line, sizeof line) != 0) return 3;
    semihosting_print(line);
    semihosting_print_hex(0x600df00du);
    return EXIT_DONE;
}
"""

DSP = """
    .syntax unified
    .thumb
    .cpu cortex-m4
    .globl main
    .type main, %function
main:
    smlad r0, r1, r2, r3
    movs r0, #0
    bx lr
"""


def test_the_five_cores_are_the_default_of_twelve() -> None:
    cores = ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]
    assert [board.core for board in default_boards()] == cores
    others = {
        "cortex-m0",
        "cortex-m3-clang",
        "cortex-m4-clang",
        "cortex-m55-clang",
        "hexagon-v67",
        "rv32imac",
        "rv64gcv",
    }
    assert {board.core for board in load_boards()} == {*cores, *others}


@pytest.mark.parametrize("board", EVERY_BOARD)
def test_board_starts_and_prints(board: Board, tmp_path: Path) -> None:
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    image = link(board, [compile_source(source, board, tmp_path)], tmp_path)
    run_image(image, board, ["first", "second"], timeout_s=60)
    assert (tmp_path / CONSOLE).read_text() == "first second0x600df00d"
    place = board.memory.constants or board.memory.code
    [address] = elf_file.addresses(image, ["constant"])
    assert place.origin <= address < place.origin + place.length


def test_a_new_folder_is_a_new_board(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "mps2-an386", tmp_path / "mine")
    path = tmp_path / "mine" / "board.toml"
    path.write_text(path.read_text().replace("mps2-an386", "my-board"))
    [board] = load_boards(tmp_path)
    assert "my-board" in board.emulators.qemu
    assert select(["mine"], tmp_path) == select(["cortex-m4"], tmp_path) == [board]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("default = true", "default = true\nspeed = 3", "speed"),
        ("default = true", "", "default"),
        ("default = true", 'default = true\nlacks = ["fpu"]', "lacks"),
        ('isa = "cortex-m"', 'isa = "z80"', "isa: Value error, .*isa/z80 has no startup.c"),
        ('"-mthumb"', '"-O0"', "toolchain.flags"),
        ('"arm-none-eabi-gcc"', '"gcc -m32"', "toolchain.compiler"),
        (', "{image}"', "", "emulators.qemu"),
        ("length = 0x400000 }\ndata", "length = 0 }\ndata", "memory.code.length"),
        ('core = "cortex-m4"', 'core = "Cortex M4"', "core"),
    ],
)
def test_bad_board_is_refused(tmp_path: Path, old: str, new: str, field: str) -> None:
    shutil.copytree(FOLDER / "mps2-an386", tmp_path / "mine")
    path = tmp_path / "mine" / "board.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=f"board.toml: {field}"):
        load_boards(tmp_path)


def test_unknown_board_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"cortex-m1: no such board; known are .*cortex-m3"):
        select(["cortex-m4", "cortex-m1"])


def test_dsp_instructions_are_found_on_the_core_that_lacks_them(tmp_path: Path) -> None:
    source = tmp_path / "dsp.S"
    source.write_text(DSP)
    with_dsp, without = select(["cortex-m4"])[0], select(["cortex-m3"])[0]
    link(with_dsp, [compile_source(source, with_dsp, tmp_path)], tmp_path)
    with pytest.raises(ToolchainError, match=r"cortex-m3 lacks: .*smlad"):
        link(without, [compile_source(source, without, tmp_path)], tmp_path)


def test_image_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "large.c"
    source.write_text("static volatile char large[0x90000];\nint main(void) { return large[1]; }\n")
    board = select(["cortex-m55"])[0]
    with pytest.raises(ToolchainError, match=r"will not fit|overflowed"):
        link(board, [compile_source(source, board, tmp_path)], tmp_path)
