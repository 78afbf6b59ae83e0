# SPDX-License-Identifier: Apache-2.0
"""The CSV of `dyncp enhance`: one row a hop, written as the audio goes through."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.integers.run import Run

FIRST, LAST = "time_s", ("active", "macs")


class SignalsFile:
    """Columns: time_s of the hop's first input sample, those of each task, active channels, MACs."""

    def __init__(self, file: TextIO, bundle: Bundle) -> None:
        from dyncp.export.integers.signals import columns

        self._writer, self._bundle, self._frames = csv.writer(file), bundle, 0
        tasks = bundle.probes.tasks if bundle.probes else []
        self._writer.writerow([FIRST, *columns(tasks), *LAST])

    def add(self, run: Run) -> None:
        """The next frames of the stream."""
        from dyncp.export.integers.signals import read_out, rows

        signals = read_out(self._bundle, run.signals, self._frames)
        for frame, cells in enumerate(rows(signals, run.frames)):
            time = (self._frames + frame) / self._bundle.config.framing.frames_per_second
            self._writer.writerow([f"{time:.3f}", *cells, run.active[frame], run.macs[frame]])
        self._frames += run.frames


def check_replaceable(path: Path) -> None:
    """Raises OutputError where `path` is a file, but no CSV of signals that may be written anew."""
    from dyncp.base.errors import OutputError

    if not path.is_file() or os.path.getsize(path) == 0:
        return
    with path.open("rb") as file:
        header = file.readline(1 << 16).decode("utf-8", "replace").rstrip("\r\n").split(",")
    if header[0] != FIRST or tuple(header[-2:]) != LAST:
        raise OutputError(
            f"{path}: is there already, and no CSV of signals; name another file with --signals, or move it away"
        )
