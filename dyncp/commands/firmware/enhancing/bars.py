# SPDX-License-Identifier: Apache-2.0
"""Signals of one frame as bars on a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.progress_bar import ProgressBar
from rich.table import Table

if TYPE_CHECKING:
    from dyncp.base.audio import Pcm
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.integers.run import Run
    from dyncp.export.integers.signals import Signal

WIDTH = 32

RANGES = {"dB": (-10.0, 40.0), "Hz": (60.0, 400.0), "MOS": (1.0, 4.5)}
"""What fills a bar from its left to its right end, by unit."""

QUIETEST = -80.0
"""dBFS of an empty bar."""


def bars(bundle: Bundle, heard: Pcm, run: Run, before: int) -> Table:
    """Levels, work and every signal of the last frame of `run`, whose stream had `before` frames already."""
    from dyncp.export.integers.signals import read_out

    table = Table.grid(padding=(0, 2))
    for name, samples in (("microphone", heard), ("headphones", run.output)):
        loud = level(samples)
        _row(table, name, (loud - QUIETEST) / -QUIETEST, f"{loud:.0f} dBFS")
    config = bundle.config
    spread = max(1, config.most_macs - config.least_macs)
    _row(table, "work", (int(run.macs[-1]) - config.least_macs) / spread, f"{int(run.macs[-1]):,} MACs")
    for signal in read_out(bundle, run.signals, before):
        share, text = _shown(signal)
        _row(table, signal.task.name, share, text)
    return table


def level(samples: Pcm) -> float:
    """dBFS of int16 samples, no less than an empty bar."""
    import numpy as np

    power = float(np.mean(np.square(samples.astype(np.float64) / 32768))) if len(samples) else 0.0
    return max(QUIETEST, 10 * math.log10(power)) if power else QUIETEST


def _shown(signal: Signal) -> tuple[float, str]:
    """Share of the bar, 0 to 1, and the text beside it, of the last frame."""
    task, values = signal.task, signal.values[-1]
    if not signal.valid[-1]:
        return 0.0, "–"
    if task.kind == "regression":
        low, high = RANGES.get(task.unit, (0.0, 1.0))
        return (float(values[0]) - low) / (high - low), f"{values[0]:.1f} {task.unit}".rstrip()
    if task.kind == "binary":
        share = 1 / (1 + math.exp(-min(50.0, max(-50.0, float(values[0])))))
        return share, "yes" if values[0] > 0 else "no"
    # Of scores in log-odds: how sure the first class is before the others.
    odds = [math.exp(min(50.0, float(value - values.max()))) for value in values]
    return max(odds) / sum(odds), task.classes[int(values.argmax())]


def _row(table: Table, name: str, share: float, text: str) -> None:
    table.add_row(name, ProgressBar(total=1.0, completed=min(1.0, max(0.0, share)), width=WIDTH), text)
