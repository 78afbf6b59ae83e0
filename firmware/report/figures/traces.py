# SPDX-License-Identifier: Apache-2.0
"""Signals over time, drawn: a panel a task, estimate and truth, on one time axis with the active channels.

The report's page and `dyncp enhance --plot` show the same figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.figure_style import INK, MUTED
from dyncp.firmware.report.contents.signals import SignalsReport, TraceReport
from dyncp.firmware.report.contents.verdict import remark
from dyncp.firmware.report.figures.drawing import (
    BLUE,
    ORANGE,
    PALE,
    Canvas,
    Drawing,
    Layout,
    clip_text,
    draw,
    save,
)
from dyncp.firmware.report.figures.timelines import paint_spectrogram, spectrogram_db, time_axis

INVALID = "#eaeef2"
FAINT = "#b4bec8"
LEGEND, TITLE, GAP, TIME_AXIS = 30, 24, 14, 26

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """Where a task's axes lie on the canvas: pixels from its top."""

    canvas: Canvas
    top: float
    height: float
    time: Floats
    """Where each point begins, and where the last one ends, s: one more than there are points."""


def traces_figure(signals: SignalsReport, seconds: float) -> Drawing:
    """The first `seconds` of every signal, for the page."""
    return draw(partial(_paint, signals, seconds, {}, SAMPLE_RATE))


def save_plot(path: Path, signals: SignalsReport, recordings: dict[str, Pcm], rate: int = SAMPLE_RATE) -> None:
    """The spectrograms of `recordings` by title above all signals, as PNG or SVG by the suffix of `path`.

    Raises ReportError for any other suffix and where `path` cannot be written.
    """
    seconds = max([signals.seconds, *(len(pcm) / rate for pcm in recordings.values())])
    save(partial(_paint, signals, seconds, recordings, rate), path)


def _paint(signals: SignalsReport, seconds: float, recordings: dict[str, Pcm], rate: int, layout: Layout) -> Canvas:
    wide = layout.name == "wide"
    sound = 130 if wide else 90
    heights = [_height(trace, layout) for trace in signals.traces]
    active = 84 if wide else 64
    count = len(recordings) + len(heights) + 1
    total = len(recordings) * sound + sum(heights) + active
    canvas = Canvas(layout, LEGEND + total + count * TITLE + (count - 1) * GAP + TIME_AXIS)
    _legend(canvas, any(trace.truth for trace in signals.traces), not all(all(t.valid) for t in signals.traces))
    points = min(len(signals.macs), max(1, round(seconds / signals.step_s)))
    time = np.arange(points + 1, dtype=np.float64) * signals.step_s
    top = LEGEND
    levels = {name: spectrogram_db(pcm, rate) for name, pcm in recordings.items()}
    loudest_db = max((float(np.percentile(level, 99.9)) for level in levels.values()), default=0.0)
    for name, level in levels.items():
        canvas.text(layout.left, top + TITLE / 2, name, bold=True)
        time_axis(paint_spectrogram(canvas, top + TITLE, sound, level, loudest_db, rate), seconds, label=False)
        top += TITLE + sound + GAP
    for trace, height in zip(signals.traces, heights, strict=True):
        _title(canvas, top, trace)
        paint = {"binary": _paint_binary, "multiclass": _paint_classes, "regression": _paint_regression}[trace.kind]
        for axes in paint(Panel(canvas, top + TITLE, height, time), trace):
            time_axis(axes, seconds, label=False)
        top += TITLE + height + GAP
    canvas.text(layout.left, top + TITLE / 2, "active channels", bold=True)
    axes = _paint_active(Panel(canvas, top + TITLE, active, time), signals)
    time_axis(axes, seconds)
    return canvas


def _height(trace: TraceReport, layout: Layout) -> int:
    if trace.kind == "multiclass":
        return round(len(trace.classes) * layout.text * 1.6)
    return (104 if trace.kind == "regression" else 96) if layout.name == "wide" else 80


def _legend(canvas: Canvas, truth: bool, invalid: bool) -> None:
    step = canvas.layout.text * 8.2
    entries = [
        ("estimate", BLUE),
        *([("truth", ORANGE)] if truth else []),
        *([("not valid", INVALID)] if invalid else []),
    ]
    axes = canvas.axes(0, 20)
    axes.set_xlim(0, canvas.layout.plot_width)
    axes.set_ylim(0, 20)
    axes.axis("off")
    for place, (text, color) in enumerate(entries):
        thick = 12 if color == INVALID else 4
        axes.barh(10, 18, left=place * step, height=thick, color=color, linewidth=0)
        canvas.text(canvas.layout.left + place * step + 24, 10, text, color=MUTED)


def _title(canvas: Canvas, top: float, trace: TraceReport) -> None:
    """The task's name and unit, a word where it is poor or weak on this audio, and in the margin its score."""
    unit = f", {trace.unit}" if trace.unit and trace.kind != "multiclass" else ""
    found = "" if trace.score is None else remark(trace.score).split(":")[0]
    said = f" · {found}" if found else ""
    canvas.text(canvas.layout.left, top + TITLE / 2, clip_text(trace.name + unit, 38) + said, bold=True)
    if trace.score is None:
        return
    wide = canvas.layout.name == "wide"
    if (error := trace.score.mae) is not None:
        text = f"MAE {error:.{2 if error < 10 else 1}f}" + (f" {clip_text(trace.unit, 10)}" if wide else "")
    else:
        text = f"{'accuracy' if wide else 'acc.'} {trace.score.accuracy:.0%}"
    canvas.text(canvas.margin, top + TITLE / 2, text, bold=True)


def _paint_regression(panel: Panel, trace: TraceReport) -> list[Axes]:
    axes = _number_axes(panel, trace, panel.height)
    values, valid = _points(panel, trace.values), _valid(panel, trace)
    truth = _points(panel, trace.truth)
    told = np.concatenate([values[valid], truth[np.isfinite(truth)]])
    low, high = np.percentile(told if told.size else values, (0.5, 99.5))
    room = 0.1 * max(high - low, 1e-3)
    axes.set_ylim(low - room, high + room)
    return [axes]


def _paint_binary(panel: Panel, trace: TraceReport) -> list[Axes]:
    """The score, its threshold, and below it decision and truth as bands."""
    bands = 7 * (2 if trace.truth else 1) + 4
    axes = _number_axes(panel, trace, panel.height - bands - 4, truth=False)
    values = _points(panel, trace.values)
    reach = 1.1 * max(1.0, float(np.abs(values).max()))
    axes.set_ylim(-reach, reach)
    axes.axhline(0, color=INK, linewidth=0.8)
    strip = panel.canvas.axes(panel.top + panel.height - bands, bands)
    _bands(strip, panel, _points(panel, trace.decisions) == 1, BLUE, -0.5 if trace.truth else 0.0, 0.8)
    if trace.truth:
        _bands(strip, panel, _points(panel, trace.truth) == 1, ORANGE, -1.5, 0.8)
    strip.set_ylim(-2.1 if trace.truth else -0.5, 0.1 if trace.truth else 0.5)
    strip.set_yticks([])
    strip.spines[["left", "bottom"]].set_visible(False)
    return [axes, strip]


def _paint_classes(panel: Panel, trace: TraceReport) -> list[Axes]:
    """A row a class: where it was decided, and below that where it is true."""
    axes = panel.canvas.axes(panel.top, panel.height)
    _grey(axes, panel, trace)
    decisions, truth = _points(panel, trace.decisions), _points(panel, trace.truth)
    count = len(trace.classes)
    both = trace.truth is not None
    valid = _valid(panel, trace)
    for index, name in enumerate(trace.classes):
        row = count - 1 - index
        middle = row + 0.19 if both else row
        _bands(axes, panel, (decisions == index) & valid, BLUE, middle, 0.36 if both else 0.62)
        _bands(axes, panel, (decisions == index) & ~valid, FAINT, middle, 0.36 if both else 0.62)
        _bands(axes, panel, truth == index, ORANGE, row - 0.21, 0.3)
        room = 18 if panel.canvas.layout.name == "wide" else 9
        y = panel.top + (index + 0.5) * panel.height / count
        panel.canvas.text(panel.canvas.margin, y, clip_text(name, room), color=MUTED)
    axes.set_ylim(-0.5, count - 0.5)
    axes.set_yticks(range(count), [""] * count)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y")
    return [axes]


def _paint_active(panel: Panel, signals: SignalsReport) -> Axes:
    axes = panel.canvas.axes(panel.top, panel.height)
    active = np.array(signals.active[: len(panel.time) - 1], np.float64)
    axes.fill_between(panel.time, np.append(active, active[-1]), step="post", color=PALE, linewidth=0)
    axes.step(panel.time, np.append(active, active[-1]), where="post", color=BLUE, linewidth=1.0)
    low, high = float(active.min()), float(active.max())
    axes.set_ylim(max(0.0, low - 0.15 * max(high - low, 1.0)), high + 0.1 * max(high - low, 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    canvas, step = panel.canvas, panel.canvas.layout.text * 0.68
    middle = panel.top + panel.height / 2
    canvas.text(canvas.margin, middle - step, f"mean {active.mean():,.0f}", color=BLUE)
    canvas.text(canvas.margin, middle + step, f"{np.mean(signals.macs[: len(active)]) / 1000:,.0f} kMAC", color=MUTED)
    return axes


def _number_axes(panel: Panel, trace: TraceReport, height: float, truth: bool = True) -> Axes:
    """Axes with the estimate, faint where it is not valid, and below it the truth."""
    axes = panel.canvas.axes(panel.top, height)
    _grey(axes, panel, trace)
    middles = (panel.time[:-1] + panel.time[1:]) / 2
    values, valid = _points(panel, trace.values), _valid(panel, trace)
    if truth:
        axes.plot(middles, _points(panel, trace.truth), color=ORANGE, linewidth=1.8)
    axes.plot(middles, np.where(valid, np.nan, values), color=FAINT, linewidth=0.8)
    axes.plot(middles, np.where(valid, values, np.nan), color=BLUE, linewidth=1.1)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    return axes


def _grey(axes: Axes, panel: Panel, trace: TraceReport) -> None:
    """The stretches in which the estimate is not valid, over the whole height."""
    across = axes.get_xaxis_transform()
    starts, ends = _runs(~_valid(panel, trace))
    axes.bar(
        panel.time[starts],
        1.0,
        panel.time[ends] - panel.time[starts],
        align="edge",
        color=INVALID,
        linewidth=0,
        transform=across,
        zorder=0,
    )


def _bands(axes: Axes, panel: Panel, where: NDArray[np.bool_], color: str, middle: float, height: float) -> None:
    starts, ends = _runs(where)
    widths = panel.time[ends] - panel.time[starts]
    axes.barh(np.full(len(starts), middle), widths, left=panel.time[starts], height=height, color=color, linewidth=0)


def _runs(where: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and past-the-last index of each run of True."""
    edges = np.diff(np.concatenate([[0], where.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _points(panel: Panel, values: Sequence[float | None] | None) -> Floats:
    """The points shown; NaN where there is nothing."""
    count = len(panel.time) - 1
    return np.full(count, np.nan) if values is None else np.array(values[:count], np.float64)


def _valid(panel: Panel, trace: TraceReport) -> NDArray[np.bool_]:
    return np.array(trace.valid[: len(panel.time) - 1], np.bool_)
