# SPDX-License-Identifier: Apache-2.0
"""Runs an image in QEMU and reads what it wrote (firmware/app/main.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.codegen.stages import Stage
from dyncp.export.run import Run, hops
from dyncp.firmware import toolchain
from dyncp.firmware.boards import Board
from dyncp.firmware.counting import Marks
from dyncp.firmware.histogram import Histogram
from dyncp.firmware.image import Image
from dyncp.train.config import HOP, NetworkConfig
from dyncp.train.errors import ToolchainError

PCM, RECORDS, MEMORY, TRACE, CONSOLE = "in.pcm", "records.bin", "memory.bin", "trace.bin", "console.txt"


@dataclass(frozen=True)
class Figures:
    """The device's own memory figures, in bytes."""

    stack: int
    """Painted stack below main's frame."""
    state: int
    """sizeof(dyncp_state), scratch included."""
    scratch: int


def qemu(elf: Path, board: Board, arguments: Sequence[str]) -> list[str]:
    """The command that runs `elf` in its own folder, where what it prints goes to `CONSOLE`."""
    semihosting = ["enable=on", "target=native", "chardev=c", *(f"arg={word}" for word in arguments)]
    command = [toolchain.QEMU, "-machine", board.machine, "-kernel", elf.name]
    command += ["-display", "none", "-monitor", "none", "-serial", "none"]
    return [*command, "-chardev", f"file,id=c,path={CONSOLE}", "-semihosting-config", ",".join(semihosting)]


def run_image(
    elf: Path, board: Board, arguments: Sequence[str], *, timeout_s: float, marks: Marks | Histogram | None = None
) -> None:
    """Run `elf` until it exits with status 0. It sees the files of its own folder under their bare names.

    Raises ToolchainError, with what the image printed, for a missing emulator, a crash, any other status, and a
    run longer than `timeout_s`.
    """
    command = qemu(elf, board, arguments)
    if marks is not None:
        command += ["-plugin", marks.option(elf.parent)]
    toolchain.run(command, timeout_s=timeout_s, cwd=elf.parent, log=elf.parent / CONSOLE)


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
) -> tuple[Run, Figures]:
    """Pass int16 PCM [n · 256] through the emulated library, with `outputs` probe words per frame.

    `trace` says whether the image is a trace build; `stages` are its trace points. Raises ToolchainError as
    `run_image` does, and for output that is short or too long; AudioError as `hops` does.
    """
    folder, frames = image.elf.parent, len(hops(pcm))
    for name in (RECORDS, MEMORY, TRACE):
        (folder / name).unlink(missing_ok=True)
    (folder / PCM).write_bytes(pcm.astype("<i2").tobytes())
    arguments = [PCM, RECORDS, MEMORY, *([TRACE] if trace else [])]
    run_image(image.elf, image.board, arguments, timeout_s=timeout_s, marks=marks)
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
            ("output", "<i2", (HOP,)),
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
