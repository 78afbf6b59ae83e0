# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong in an emulator ends the run with an error that says what: nothing is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from every_board import EVERY_BOARD

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board, select
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.emulators.counting import read_events
from dyncp.firmware.emulators.emulate import run_image

M4 = select(["cortex-m4"])[0]

FAULT = """
int main(void) {
#if defined(__arm__)
    __asm__ volatile("udf #0");
#elif defined(__riscv)
    __asm__ volatile(".word 0");
#else
    __builtin_trap();
#endif
    return 0;
}
"""
UNMAPPED = "int main(void) { return *(volatile int *)0xF0000000u; }\n"
HANG = 'int main(void) { for (;;) __asm__ volatile(""); }\n'
STATUS = "int main(void) { return 42; }\n"
BOTTOMLESS = """
int deeper(volatile int *);
int deeper(volatile int *a) { volatile int b[64]; b[0] = *a; return deeper(b) + b[0]; }
int main(void) { volatile int a = 0; return deeper(&a); }
"""


def image(text: str, board: Board, folder: Path) -> Path:
    source = folder / "program.c"
    source.write_text(text)
    return link(board, [compile_source(source, board, folder, ["-Wno-error=infinite-recursion"])], folder)


@pytest.mark.parametrize("board", EVERY_BOARD)
@pytest.mark.parametrize(("text", "cause"), [(FAULT, 2), (UNMAPPED, 5)], ids=["undefined", "unmapped"])
def test_crash_names_the_fault(text: str, cause: int, board: Board, tmp_path: Path) -> None:
    """Arm: a hard fault whatever the cause; RISC-V tells it; Linux ends a program of its own accord."""
    if board.core == "cortex-m0":
        text = text.replace("0xF0000000", "0xD0000000")  # QEMU's nRF51 answers at the former
    said = {
        "cortex-m": r"status 15\nfault: exception 0x00000003 at pc 0x",
        "riscv": rf"status 15\nfault: exception 0x0000000{cause} at pc 0x804",
        "hexagon": r"killed by signal (4|7|11)",
    }
    with pytest.raises(ToolchainError, match=said[board.isa]):
        run_image(image(text, board, tmp_path), board, [], timeout_s=60)


@pytest.mark.parametrize("board", EVERY_BOARD)
def test_stack_overflow_is_loud(board: Board, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"qemu-[a-z0-9-]+: (status|killed)"):
        run_image(image(BOTTOMLESS, board, tmp_path), board, [], timeout_s=60)


def test_hang_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"still running after 0\.5 s"):
        run_image(image(HANG, M4, tmp_path), M4, [], timeout_s=0.5)


def test_status_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="qemu-system-arm: status 42"):
        run_image(image(STATUS, M4, tmp_path), M4, [], timeout_s=60)


def test_missing_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = image(STATUS, M4, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="qemu-system-arm: not found on PATH; install it"):
        run_image(program, M4, [], timeout_s=60)


def test_missing_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"arm-none-eabi-gcc: not found on PATH.*gcc-arm-none-eabi"):
        image(STATUS, M4, tmp_path)


def test_compiler_errors_are_shown(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="undeclared"):
        image("int main(void) { return missing; }\n", M4, tmp_path)


def test_program_that_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("not a program")
    (tmp_path / "tool").chmod(0o755)
    with pytest.raises(ToolchainError, match="tool: "):
        toolchain.run([tmp_path / "tool"])


def test_plugin_that_wrote_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"marks\.bin: empty or truncated"):
        read_events(tmp_path / "marks.bin")
