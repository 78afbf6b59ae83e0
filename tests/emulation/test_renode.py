# SPDX-License-Identifier: Apache-2.0
"""Renode's files, and the client of its GDB server. Renode has no package, so the server is QEMU's here."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ToolchainError
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import write_bundle
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board, default_boards, select
from dyncp.firmware.building.image import build, compile_source, link
from dyncp.firmware.emulators import renode_run
from dyncp.firmware.emulators.emulate import MEMORY, PCM, RECORDS, run_image, stream
from dyncp.firmware.emulators.gdb import connect, free_port
from dyncp.firmware.emulators.names import Emulator

CONFIG = NetworkConfig(channels=8, hidden=16, stacks=1, dilations=(1, 2), gate=4, pooling_frames=3)
M4 = select(["cortex-m4"])[0]

PLATFORM_M55 = """\
nvic: IRQControllers.NVIC @ sysbus 0xE000E000
    -> cpu@0
cpu: CPU.CortexM @ sysbus
    cpuType: "cortex-m55"
    nvic: nvic
code: Memory.MappedMemory @ sysbus 0x00000000
    size: 0x80000
constants: Memory.MappedMemory @ sysbus 0x21000000
    size: 0x400000
data: Memory.MappedMemory @ sysbus 0x20000000
    size: 0x80000
"""

SCRIPT_M33 = """\
mach create
machine LoadPlatformDescription @board.repl
sysbus LoadELF @image.elf
sysbus.cpu VectorTableOffset 0x10000000
machine StartGdbServer 3333
"""


@contextmanager
def gdb_server(elf: Path, board: Board) -> Iterator[socket.socket]:
    """A connection to QEMU, stopped at reset and without semihosting of its own."""
    program, *words = (word.replace("{image}", elf.name) for word in board.emulators.qemu)
    port = free_port()
    command = [toolchain.find(program), *words, "-S", "-gdb", f"tcp:127.0.0.1:{port}", "-display", "none"]
    with subprocess.Popen([*command, "-monitor", "none", "-serial", "none"], cwd=elf.parent) as process:
        try:
            with connect(port, process) as connection:
                yield connection
        finally:
            process.kill()


def program(text: str, folder: Path) -> Path:
    source = folder / "program.c"
    source.write_text(f'#include "semihosting.h"\n{text}')
    return link(M4, [compile_source(source, M4, folder)], folder)


def test_files_for_renode() -> None:
    m33, m55 = select(["cortex-m33", "cortex-m55"])
    assert renode_run.platform(m55) == PLATFORM_M55
    assert renode_run.script(m33, "image.elf", 3333) == SCRIPT_M33
    assert all(board.emulators.renode for board in default_boards())


@pytest.mark.slow
def test_streaming_over_gdb(tmp_path: Path) -> None:
    """The same files as with QEMU's own semihosting."""
    bundle, pcm = random_bundle(CONFIG, seed=2), speech_like(4)
    write_bundle(bundle, tmp_path / "bundle")
    library = generate(bundle, tmp_path / "library")
    image = build(library, M4, tmp_path / "work", "marks", 0)
    stream(image, pcm, CONFIG, stages(CONFIG, 5), outputs=5, trace=False, timeout_s=60)
    expected = {name: (tmp_path / "work" / name).read_bytes() for name in (RECORDS, MEMORY)}
    for name in expected:
        (tmp_path / "work" / name).unlink()
    with gdb_server(image.elf, M4) as connection:
        host = renode_run.serve(connection, image.elf, [PCM, RECORDS, MEMORY], 60.0)
    assert (host.status, host.printed) == (0, "")
    assert {name: (tmp_path / "work" / name).read_bytes() for name in expected} == expected
    assert np.fromfile(tmp_path / "work" / PCM, "<i2").tolist() == pcm.tolist()


@pytest.mark.slow
def test_hang_is_stopped_and_what_was_printed_is_shown(tmp_path: Path) -> None:
    image = program('int main(void) { semihosting_print("so far"); for (;;) __asm__ volatile(""); }', tmp_path)
    started = time.monotonic()
    with (
        gdb_server(image, M4) as connection,
        pytest.raises(ToolchainError, match=r"still running after 5 s\nso far"),
    ):
        renode_run.serve(connection, image, [], 5.0)
    assert time.monotonic() - started < 60


def test_server_that_goes_away(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(ToolchainError, match="gdb server: "):
        renode_run.serve(ours, program("int main(void) { return 0; }", tmp_path), [], 1.0)


def test_server_that_does_not_start(tmp_path: Path) -> None:
    with subprocess.Popen(["false"]) as process, pytest.raises(ToolchainError, match="does not answer at port"):
        connect(free_port(), process)


def test_missing_renode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = program("int main(void) { return 0; }", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"renode: not found on PATH.*github.com/renode/renode/releases"):
        run_image(image, M4, [], timeout_s=1, emulator=Emulator.RENODE)


def test_core_without_a_model(tmp_path: Path) -> None:
    board = M4.model_copy(update={"emulators": M4.emulators.model_copy(update={"renode": None})})
    with pytest.raises(ToolchainError, match="cortex-m4: Renode has no model of this core"):
        run_image(tmp_path / "image.elf", board, [], timeout_s=1, emulator=Emulator.RENODE)
