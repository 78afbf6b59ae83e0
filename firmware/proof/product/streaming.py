# SPDX-License-Identifier: Apache-2.0
"""Runs the optional stream of a library on an emulated core (firmware/app/stream.c, docs/stream.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building.boards import Board
from dyncp.firmware.building.elf import addresses
from dyncp.firmware.building.image import APP, compile_source, link
from dyncp.firmware.emulators.counting import Marks, build_plugin, read_events
from dyncp.firmware.emulators.emulate import run_image

_LABELS, _MARKS = ("pass_begin", "pass_end"), "marks.bin"


@dataclass(frozen=True)
class Case:
    """How a stream is used."""

    block: int
    """Samples of a channel in a call."""
    kind: Literal[16, 32, 0] = 16
    """int16, int32, or float."""
    channels: Literal[1, 2] = 1
    pair: bool = False
    """Two channels have one gain; without, each has a stream of its own."""
    wide: bool = False
    """48 kHz."""
    even: bool = False
    above: bool = False

    def words(self) -> bytes:
        listed = [self.block, self.kind, self.channels, self.pair, self.wide, self.even, self.above]
        return np.array(listed, "<u4").tobytes()


def on_board(
    library: Path,
    board: Board,
    case: Case,
    pcm: NDArray[np.int16],
    work: Path,
    timeout_s: float,
    compiled: Sequence[Path] | None = None,
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """int16 PCM, [n] or [n, 2], through the stream of `library`, and the instructions of each of its calls.

    The library was generated with the prefix `dyncp` and a stream, and `compiled` are its object files where there are
    some; other kinds of sample get the values of `pcm`.
    Raises ToolchainError as building and emulating do.
    """
    longest = f"-DSTREAM_LONGEST={case.block}"
    options = ("-I", str(library.resolve()), longest, *(("-DSTREAM_ABOVE",) if case.above else ()))
    own = compiled or [compile_source(library / name, board, work) for name in ("dyncp.c", "dyncp_stream.c")]
    image = link(board, [*own, compile_source(APP / "stream.c", board, work, options)], work)
    (work / "stream.cfg").write_bytes(case.words())
    (work / "stream.in").write_bytes(_written(pcm, case.kind))
    (work / "stream.out").unlink(missing_ok=True)
    marks = Marks(build_plugin(work), tuple(addresses(image, _LABELS)), _MARKS)
    run_image(image, board, [], timeout_s=timeout_s, marks=marks)
    made = _read((work / "stream.out").read_bytes(), case.kind)
    if made.size != pcm.size:
        raise ToolchainError(f"{work}: the image wrote {made.size} samples, expected {pcm.size}")
    events = read_events(work / _MARKS)
    return made.reshape(pcm.shape), np.diff(events[:, 1].reshape(-1, 2), axis=1)[:, 0]


def _written(pcm: NDArray[np.int16], kind: int) -> bytes:
    if kind == 16:
        return pcm.astype("<i2").tobytes()
    return (pcm.astype("<i4") * 65536).tobytes() if kind == 32 else (pcm.astype("<f4") / 32768).astype("<f4").tobytes()


def _read(data: bytes, kind: int) -> NDArray[np.int16]:
    """What `_written` would have made of the values. Raises ToolchainError for what it would not have."""
    samples = np.frombuffer(data, {16: "<i2", 32: "<i4", 0: "<f4"}[kind])
    scale = {16: 1, 32: 1 / 65536, 0: 32768}[kind]
    values = (samples.astype(np.float64) * scale).astype(np.int16)
    if _written(values, kind) != data:
        raise ToolchainError("the image wrote samples that are no 16-bit values")
    return values
