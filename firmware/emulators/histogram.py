# SPDX-License-Identifier: Apache-2.0
"""How often each instruction of an image ran, from QEMU plugin firmware/emulators/plugin/histogram.c."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain

SOURCE = Path(__file__).parent / "plugin" / "histogram.c"


@dataclass(frozen=True)
class Executions:
    """What one instruction did between the marks."""

    ran: int
    departures: int
    """Times that another than the next instruction in memory followed."""
    lines: int
    """Lines of flash that its reads had to fetch."""


@dataclass(frozen=True)
class Histogram:
    """Between which marks the plugin is to count, where constants lie, and where it writes."""

    plugin: Path
    begin: int
    end: int
    flash: tuple[int, int]
    """First address, and the one after the last."""
    out: str
    """File name, relative to the folder that QEMU runs in."""

    def option(self, folder: Path) -> str:
        """Value of QEMU's `-plugin`, for a QEMU that runs in `folder`."""
        plugin = os.path.relpath(self.plugin.resolve(), folder.resolve())
        flash = ":".join(f"{address:x}" for address in self.flash)
        return f"./{plugin},begin={self.begin:x},end={self.end:x},flash={flash},out={self.out}"


def build_plugin(work: Path) -> Path:
    """Compile the plugin into the folder `work`. Raises ToolchainError."""
    plugin = work / "histogram.so"
    work.mkdir(parents=True, exist_ok=True)
    toolchain.run(["gcc", "-std=c99", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", SOURCE, "-o", plugin])
    return plugin


def read_histogram(path: Path) -> Mapping[int, Executions]:
    """By address. Raises ToolchainError for a file that the plugin did not finish."""
    data = path.read_bytes() if path.is_file() else b""
    if not data or len(data) % 32:
        raise ToolchainError(f"{path}: empty or truncated; does this QEMU support plugins?")
    return {row[0]: Executions(*row[1:]) for row in np.frombuffer(data, "<u8").reshape(-1, 4).tolist()}
