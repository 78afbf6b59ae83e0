# SPDX-License-Identifier: Apache-2.0
"""One style for the figures of the paper's experiments: drawn off screen, written as PNG and SVG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyncp.base.figure_style import INK, STYLE
from dyncp.base.files import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNDEFINED = "#d5dae0"
# Okabe and Ito: distinct under every common colour vision deficiency.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c6d00", "#4d4d4d", "#f0e442", "#9d5bd0")
TRUTH, ESTIMATE = INK, "#d55e00"
# Of classes beside each other: no second orange, and no brown next to one.
CLASS_COLOURS = tuple(colour for colour in COLOURS if colour not in ("#d55e00", "#8c6d00"))
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"

_STYLE: dict[Any, Any] = {
    **STYLE,
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "legend.fontsize": 8.5,
}


@contextmanager
def drawn(folder: Path, name: str, width: float, height: float) -> Iterator[Figure]:
    """An empty figure of `width` × `height` inches to draw on; written as NAME.png and NAME.svg when left."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        for suffix, unsaid in (("png", "Software"), ("svg", "Date")):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, dpi=160, metadata={unsaid: None})
            replace_file(folder / f"{name}.{suffix}", buffer.getvalue())


def panels(figure: Figure, count: int, columns: int, **options: Any) -> list[Axes]:
    """`count` axes in rows of `columns`, the last row's surplus left blank."""
    rows = -(-count // columns)
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel()
    for surplus in axes[count:]:
        surplus.set_axis_off()
    return list(axes[:count])


def colour(index: int) -> str:
    """Of a class, or of one of several things that are compared."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def left_out(folder: Path, name: str) -> None:
    """No figure of an earlier run may stay where this run has none to draw."""
    for suffix in ("png", "svg"):
        (folder / f"{name}.{suffix}").unlink(missing_ok=True)


NAMES = {
    "vad": "Voice activity",
    "noise": "Noise category",
    "snr_in": "Input SNR",
    "snr_out": "Enhanced SNR",
    "si_sdr": "Input SI-SDR",
    "si_sdr_out": "Enhanced SI-SDR",
    "pesq": "Input PESQ",
    "pesq_out": "Enhanced PESQ",
    "f0": "F0",
}


def title(task: str, unit: str = "") -> str:
    """A task's name as a heading, with its unit: `snr_in` → `Input SNR (dB)`; a user's task keeps its name."""
    name = NAMES.get(task, task.replace("_", " ").capitalize())
    return f"{name} ({unit})" if unit and unit != "log-odds" else name
