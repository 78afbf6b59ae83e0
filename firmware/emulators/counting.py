# SPDX-License-Identifier: Apache-2.0
"""Exact instruction counts, from QEMU plugin plugin/marks.c. Instructions, not cycles (docs/measuring.md)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain

SOURCE = Path(__file__).parent / "plugin" / "marks.c"

CALL = "call"
"""Entering and leaving `dyncp_process`: what a frame costs outside every stage."""


@dataclass(frozen=True)
class Marks:
    """What the plugin is to look for, and where it writes."""

    plugin: Path
    addresses: tuple[int, ...]
    out: str
    """File name, relative to the folder that QEMU runs in."""

    def option(self, folder: Path) -> str:
        """Value of QEMU's `-plugin`, for a QEMU that runs in `folder`."""
        # Relative, so that QEMU's option syntax never meets a comma in the name of a user's folder.
        plugin = os.path.relpath(self.plugin.resolve(), folder.resolve())
        listed = ":".join(f"{address:x}" for address in self.addresses)
        return f"./{plugin},marks={listed},out={self.out}"


@dataclass(frozen=True)
class Counts:
    """Executed instructions, int64 [frames]; the stages and `call` add up to the total."""

    total: NDArray[np.int64]
    stages: dict[str, NDArray[np.int64]]

    @property
    def probes(self) -> NDArray[np.int64] | None:
        """What the probes cost a frame: sums, smoothing and the struct. None without probes."""
        return self.stages["probes"] + self.stages["signals"] if "probes" in self.stages else None


def build_plugin(work: Path) -> Path:
    """Compile the plugin into the folder `work`. Raises ToolchainError."""
    plugin = work / "marks.so"
    work.mkdir(parents=True, exist_ok=True)
    toolchain.run(["gcc", "-std=c99", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", SOURCE, "-o", plugin])
    return plugin


def mark_symbols(stages: int) -> list[str]:
    """The labels of one frame, in order: main.c's around those of docs/emitted-c.md."""
    return ["frame_begin", "dyncp_mark_begin", *(f"dyncp_mark_{i}" for i in range(stages)), "frame_end"]


def read_events(path: Path) -> NDArray[np.int64]:
    """The plugin's file: [n, 2], index of the mark and number of instructions before it."""
    data = path.read_bytes() if path.is_file() else b""
    if not data or len(data) % 16:
        raise ToolchainError(f"{path}: empty or truncated; does this QEMU support plugins?")
    return np.frombuffer(data, "<i8").reshape(-1, 2)


def read_counts(path: Path, stages: Sequence[str], frames: int) -> Counts:
    """Counts of a run whose marks were `mark_symbols(len(stages))`.

    Raises ToolchainError unless every frame passed every mark once and in order.
    """
    events, marks = read_events(path), len(stages) + 3
    expected = np.tile(np.arange(marks), frames)
    if not np.array_equal(events[:, 0], expected):
        raise ToolchainError(f"{path}: {frames} frames did not pass each of {marks} marks once and in order")
    steps = np.diff(events[:, 1].reshape(frames, marks), axis=1)
    counts = {name: steps[:, i + 1] for i, name in enumerate(stages)}
    return Counts(steps.sum(axis=1), counts | {CALL: steps[:, 0] + steps[:, -1]})
