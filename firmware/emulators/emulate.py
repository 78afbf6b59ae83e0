# SPDX-License-Identifier: Apache-2.0
"""Runs an image in an emulator and reads what it wrote (firmware/app/main.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ToolchainError
from dyncp.codegen.plan.stages import Stage
from dyncp.export.integers.run import Run, hops
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board
from dyncp.firmware.building.image import Image
from dyncp.firmware.emulators.counting import Marks
from dyncp.firmware.emulators.histogram import Histogram
from dyncp.firmware.emulators.names import Emulator

PCM, RECORDS, MEMORY, TRACE, CONSOLE = "in.pcm", "records.bin", "memory.bin", "trace.bin", "console.txt"
GIVEN = "given.bin"


@dataclass(frozen=True)
class Figures:
    """The device's own memory figures, in bytes."""

    stack: int
    """Painted stack below main's frame."""
    state: int
    """sizeof(dyncp_state), scratch included."""
    scratch: int


def qemu(elf: Path, board: Board, arguments: Sequence[str], marks: Marks | Histogram | None = None) -> list[str]:
    """The command that runs `elf` in its own folder.

    What the image prints goes to `CONSOLE`, or in user mode, where it has no semihosting, to standard output.
    """
    program, *words = (word.replace("{image}", elf.name) for word in board.emulators.qemu)
    plugin = [] if marks is None else ["-plugin", marks.option(elf.parent)]
    if not program.startswith("qemu-system-"):
        return [program, *plugin, *words, *arguments]
    semihosting = ["enable=on", "target=native", "chardev=c", *(f"arg={word}" for word in arguments)]
    silent = ["-display", "none", "-monitor", "none", "-serial", "none"]
    console = ["-chardev", f"file,id=c,path={CONSOLE}", "-semihosting-config", ",".join(semihosting)]
    return [program, *plugin, *words, *silent, *console]


def run_image(
    elf: Path,
    board: Board,
    arguments: Sequence[str],
    *,
    timeout_s: float,
    marks: Marks | Histogram | None = None,
    emulator: Emulator = Emulator.QEMU,
) -> None:
    """Run `elf` until it exits with status 0. It sees the files of its own folder under their bare names.

    Raises ToolchainError, with what the image printed, for a missing emulator, a crash, any other status, and a
    run longer than `timeout_s`.
    """
    console = elf.parent / CONSOLE
    if emulator is Emulator.QEMU:
        command = qemu(elf, board, arguments, marks)
        output = None if command[0].startswith("qemu-system-") else console
        toolchain.run(command, timeout_s=timeout_s, cwd=elf.parent, log=console, output=output)
        return
    host = engine(emulator).run_image(elf, board, arguments, timeout_s=timeout_s, marks=marks)
    console.write_text(host.printed)
    if host.status:
        raise ToolchainError(f"{emulator}: status {host.status}\n{host.printed}")


def engine(emulator: Emulator) -> ModuleType:
    """The module that runs images in an emulator other than QEMU. Raises ToolchainError if it is not installed."""
    try:
        return import_module(f"dyncp.firmware.emulators.{emulator}_run")
    except ModuleNotFoundError as error:
        raise ToolchainError(f"{error.name}: not installed; pip install 'dyncp[emulators]'") from None


def stream(
    image: Image,
    pcm: NDArray[np.int16],
    config: NetworkConfig,
    stages: Sequence[Stage],
    *,
    outputs: int,
    trace: bool,
    timeout_s: float,
    marks: Marks | Histogram | None = None,
    emulator: Emulator = Emulator.QEMU,
    given: NDArray[np.uint8] | None = None,
) -> tuple[Run, Figures]:
    """Pass int16 PCM [n · hop] through the emulated library, with `outputs` probe words per frame.

    `trace` says whether the image is a trace build; `stages` are its trace points. Such a build then also runs the
    constructed frames `given`, [m, bytes], from the initial state; they are the last m of the run. Raises
    ToolchainError as `run_image` does, and for output that is short or too long; AudioError as `hops` does.
    """
    folder, frames = image.elf.parent, len(hops(pcm, config.hop)) + (0 if given is None else len(given))
    for name in (RECORDS, MEMORY, TRACE, GIVEN):
        (folder / name).unlink(missing_ok=True)
    (folder / PCM).write_bytes(pcm.astype("<i2").tobytes())
    if given is not None:
        (folder / GIVEN).write_bytes(given.tobytes())
    arguments = [PCM, RECORDS, MEMORY, *([TRACE] if trace else []), *([] if given is None else [GIVEN])]
    run_image(image.elf, image.board, arguments, timeout_s=timeout_s, marks=marks, emulator=emulator)
    run = _read_records(folder / RECORDS, frames, config, outputs)
    if trace:
        layout = np.dtype([(stage.name, np.dtype(stage.dtype), (stage.count,)) for stage in stages])
        table = np.frombuffer(_read(folder / TRACE, frames * layout.itemsize), layout)
        run.trace = {stage.name: table[stage.name] for stage in stages}
    stack, state, scratch = np.frombuffer(_read(folder / MEMORY, 12), "<u4").tolist()
    return run, Figures(stack, state, scratch)


def _read_records(path: Path, frames: int, config: NetworkConfig, outputs: int) -> Run:
    layout = np.dtype(
        [
            ("output", "<i2", (config.hop,)),
            ("masks", "<u4", (config.mask_words,)),
            ("probes", "<i4", (outputs,)),
            ("signals", "<i4", (outputs,)),
            ("macs", "<u4"),
            ("active", "<u4"),
        ]
    )
    table = np.frombuffer(_read(path, frames * layout.itemsize), layout)
    return Run(
        output=table["output"].reshape(-1),
        masks=table["masks"],
        words=table["probes"],
        signals=table["signals"],
        macs=table["macs"].astype(np.int64),
        active=table["active"].astype(np.int64),
    )


def _read(path: Path, size: int) -> bytes:
    data = path.read_bytes() if path.is_file() else b""
    if len(data) != size:
        raise ToolchainError(f"{path}: the image wrote {len(data)} bytes, expected {size}; see {CONSOLE}")
    return data
