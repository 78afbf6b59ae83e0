# SPDX-License-Identifier: Apache-2.0
"""Figures without time: where the multiply–accumulates, the memory and the instructions go."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.legend import Legend
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dyncp.base.figure_style import GRID, INK, MUTED
from dyncp.firmware.report.contents.day import TITLES, WHOLE, DayRecord
from dyncp.firmware.report.contents.groups import STAGE_GROUPS, stage_group, stage_row
from dyncp.firmware.report.contents.schema import LayerMacs, Report, TargetReport
from dyncp.firmware.report.figures.drawing import (
    BLUE,
    ORANGE,
    SERIES,
    Canvas,
    Drawing,
    Layout,
    draw,
)

_VALUE_AXIS = 46  # pixels below the axes: ticks and their label
_LEGEND_ROW = 22
_LEGEND: dict[str, Any] = {
    "borderpad": 0,
    "borderaxespad": 0.3,
    "handlelength": 0.9,
    "handletextpad": 0.5,
    "columnspacing": 1.6,
}
_COLORS = dict(zip(STAGE_GROUPS, SERIES, strict=True))


def layers_figure(layers: list[LayerMacs]) -> Drawing:
    """A bar per block, stacked by kind of layer: the mean of this audio, then what pruning saved."""
    return draw(partial(_paint_layers, layers))


def _paint_layers(layers: list[LayerMacs], layout: Layout) -> Canvas:
    rows = list(dict.fromkeys(stage_row(layer.layer) for layer in layers))
    kinds = [kind for kind in STAGE_GROUPS if kind in {stage_group(layer.layer) for layer in layers}]
    columns, row = (7, 30) if layout.name == "wide" else (3, 26)
    left = 78 if layout.name == "wide" else 58
    top = 10 + -(-(len(kinds) + 1) // columns) * _LEGEND_ROW
    canvas = Canvas(layout, top + row * len(rows) + _VALUE_AXIS)
    axes = canvas.axes(top, row * len(rows), left=left, width=layout.width - left - 24)
    places = np.arange(len(rows))[::-1]
    starts = np.zeros(len(rows))
    for kind in kinds:
        widths = np.array([_thousands(layers, row, kind) for row in rows])
        axes.barh(places, widths, left=starts, height=0.62, color=_COLORS[kind], label=kind)
        starts += widths
    saved = np.array([sum(x.all_active - x.mean for x in layers if stage_row(x.layer) == row) / 1000 for row in rows])
    axes.barh(places, saved, left=starts, height=0.62, color=GRID, label="saved by pruning")
    axes.set_yticks(places, rows)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    _legend(canvas, axes, left, columns)
    _value_axis(axes, "thousand MACs per frame")
    return canvas


def _thousands(layers: list[LayerMacs], row: str, kind: str) -> float:
    chosen = (x.mean for x in layers if stage_row(x.layer) == row and stage_group(x.layer) == kind)
    return sum(chosen) / 1000


def day_figure(day: DayRecord) -> Drawing:
    """A bar per condition of the day: mean MACs per frame, and the range from the 5th to the 95th percentile."""
    return draw(partial(_paint_day, day))


def _paint_day(day: DayRecord, layout: Layout) -> Canvas:
    wide = layout.name == "wide"
    row, left, right = (30, 160, 76) if wide else (26, 132, 56)
    canvas = Canvas(layout, 10 + row * len(day.rows) + _VALUE_AXIS)
    axes = canvas.axes(10, row * len(day.rows), left=left, width=layout.width - left - right)
    places = np.arange(len(day.rows))[::-1]
    means = np.array([entry.macs.mean for entry in day.rows]) / 1000
    low, high = (np.array([getattr(entry.macs, end) for entry in day.rows]) / 1000 for end in ("p5", "p95"))
    colors = [MUTED if entry.condition == WHOLE else BLUE for entry in day.rows]
    axes.barh(places, means, height=0.62, color=colors)
    axes.hlines(places, low, high, color=INK, linewidth=1.5)
    axes.set_yticks(places, [TITLES[entry.condition] for entry in day.rows])
    axes.set_ylim(-0.6, len(day.rows) - 0.4)
    axes.set_xlim(0, day.macs_all_active / 1000)
    # The axes hold as many rows as bars, from -0.6 to 0.4 below and above the outer ones.
    for place, entry in zip(places, day.rows, strict=True):
        y = 10 + row * (len(day.rows) - 0.4 - place)
        canvas.text(layout.width - right + 10, y, f"{entry.macs.mean:,.0f}", bold=entry.condition == WHOLE)
    _value_axis(axes, "thousand MACs per frame")
    return canvas


def memory_figure(report: Report) -> Drawing:
    """Two stacked bars in KiB: flash (weights, tables, probes, code) and RAM (state, scratch, stack)."""
    flash, ram = report.memory.flash, report.memory.ram
    stack = max(target.stack_bytes for target in report.targets)
    return draw(
        partial(
            _paint_memory,
            {
                "Flash": {"weights": flash.weights, "tables": flash.tables, "probes": flash.probes, "code": flash.code},
                "RAM": {"state": ram.state, "scratch": ram.scratch, "stack": stack},
            },
        )
    )


def _paint_memory(bars: dict[str, dict[str, int]], layout: Layout) -> Canvas:
    wide = layout.name == "wide"
    height = 2 * (64 if wide else 72)
    canvas = Canvas(layout, 8 + height + _VALUE_AXIS)
    left = 64 if wide else 48
    axes = canvas.axes(8, height, left=left, width=layout.width - left - 24)
    palettes = ((BLUE, "#88ccee", MUTED, ORANGE), (BLUE, "#88ccee", ORANGE))
    for place, parts, colors in zip((1, 0), bars.values(), palettes, strict=True):
        start = 0.0
        for color, size in zip(colors, parts.values(), strict=True):
            axes.barh(place, size / 1024, left=start, height=0.4, color=color, edgecolor="white", linewidth=1)
            start += size / 1024
        handles = [
            Patch(color=color, label=f"{part} {size / 1024:,.1f}")
            for color, (part, size) in zip(colors, parts.items(), strict=True)
        ]
        legend = Legend(
            axes,
            handles,
            [str(handle.get_label()) for handle in handles],
            loc="center left",
            bbox_to_anchor=(0.0, (place + 0.92) / 2),
            ncols=4 if wide else 2,
            fontsize=layout.text * (1 if wide else 0.9),
            **{**_LEGEND, "columnspacing": 1.4 if wide else 0.9},
        )
        axes.add_artist(legend)
        axes.annotate(
            f"{start:,.1f} KiB",
            (start, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            weight="bold",
        )
    axes.set_yticks([1, 0], list(bars))
    axes.set_xlim(0, 1.18 * max(sum(parts.values()) for parts in bars.values()) / 1024)
    axes.set_ylim(-0.5, 1.5)
    _value_axis(axes, "KiB")
    return canvas


def cores_figure(targets: list[TargetReport]) -> Drawing:
    """A bar per core: mean instructions per frame, stacked by kind of stage; marks at p95 and the maximum."""
    return draw(partial(_paint_cores, targets))


def _paint_cores(targets: list[TargetReport], layout: Layout) -> Canvas:
    wide = layout.name == "wide"
    columns, row = (6, 44) if wide else (3, 40)
    top = 10 + -(-(len(STAGE_GROUPS) + 2) // columns) * _LEGEND_ROW
    canvas = Canvas(layout, top + row * len(targets) + _VALUE_AXIS)
    left = 96 if wide else 58
    axes = canvas.axes(top, row * len(targets), left=left, width=layout.width - left - 30)
    places = np.arange(len(targets))[::-1]
    starts = np.zeros(len(targets))
    for group, color in _COLORS.items():
        widths = np.array([target.instructions_by_group[group] for target in targets]) / 1000
        axes.barh(places, widths, left=starts, height=0.56, color=color, label=group)
        starts += widths
    spreads = [target.instructions_per_frame for target in targets]
    p95, most = [s.p95 / 1000 for s in spreads], [s.max / 1000 for s in spreads]
    # As scatters, so that the legend lists them after the bars.
    axes.scatter(p95, places, s=380, marker="|", linewidths=2, color=INK, label="p95")
    axes.scatter(most, places, s=26, marker="D", color=INK, label="maximum")
    axes.set_xlim(0, 1.06 * max(most))
    names = [target.name if wide else target.name.removeprefix("cortex-") for target in targets]
    axes.set_yticks(places, names)
    axes.set_ylim(-0.6, len(targets) - 0.4)
    _legend(canvas, axes, left, columns)
    _value_axis(axes, "thousand instructions per frame")
    return canvas


def _legend(canvas: Canvas, axes: Axes, left: int, columns: int) -> None:
    """Above the axes, row by row, bars before marks."""
    handles, labels = axes.get_legend_handles_labels()
    entries = sorted(zip(handles, labels, strict=True), key=lambda entry: isinstance(entry[0], PathCollection))
    # Legends fill column by column.
    columnwise = [entries[i] for c in range(columns) for i in range(c, len(entries), columns)]
    legend = canvas.figure.legend(
        [handle for handle, _ in columnwise],
        [label for _, label in columnwise],
        loc="upper left",
        bbox_to_anchor=(left / canvas.layout.width, 1.0),
        ncols=columns,
        **_LEGEND,
    )
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([40])


def _value_axis(axes: Axes, label: str) -> None:
    axes.set_xlim(left=0)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axes.set_xlabel(label, color=MUTED)
