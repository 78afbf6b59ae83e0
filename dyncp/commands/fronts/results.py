# SPDX-License-Identifier: Apache-2.0
"""The front of quality against cost, as table and figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dyncp.base.quality import Score
    from dyncp.evaluation.front.day_points import DayFront
    from dyncp.evaluation.front.points import Front, FrontPoint, FrontRun
    from dyncp.evaluation.plotting.sheet import Sheet

HEADERS = (
    "network",
    "seeds",
    "active",
    "MACs per frame: mean",
    "p95",
    "all active",
    "int8 weights, KB",
    "PESQ-WB, float",
    "int8",
    "ESTOI, int8",
    "SI-SDR, dB, int8",
    "DNSMOS OVRL, int8",
    "above the static front: PESQ-WB",
    "ESTOI",
    "SI-SDR, dB",
    "DNSMOS OVRL",
)
METRICS = (("pesq", 3), ("estoi", 3), ("si_sdr", 2), ("ovrl", 3))
PANELS = (("pesq", "PESQ-WB, gain"), ("estoi", "ESTOI, gain"))
SERIES = (("none", "static"), ("output", "gates on block outputs"), ("hidden", "gates on conv channels"))


def front_sheet(front: Front) -> Sheet:
    """One row for each network, means over its seeds, by ascending mean MACs."""
    from dyncp.evaluation.plotting.sheet import Sheet, number

    title = f"Quality against cost, {front.steps} + {front.steps} steps of training, {front.clips} clips"
    noisy = front.noisy
    first = (
        "noisy",
        *[""] * 7,
        *(number(getattr(noisy, name), digits) for name, digits in METRICS),
        *[""] * len(METRICS),
    )
    rows = [_row(point, [run for run in front.runs if run.name == point.name]) for point in front.points]
    return Sheet(title, HEADERS, [first, *rows])


def _row(point: FrontPoint, runs: Sequence[FrontRun]) -> tuple[str, ...]:
    from dyncp.evaluation.plotting.sheet import number

    def mean(value: Callable[[FrontRun], float]) -> float:
        return float(np.mean([value(run) for run in runs]))

    active = "all" if point.site == "none" else f"{mean(lambda run: run.utilization or 0.0):.1%}"
    costs = (point.macs_mean, mean(lambda run: run.macs_p95), runs[0].macs_all_active)
    float_pesq = number(mean(lambda run: run.float_.pesq))
    return (
        point.name,
        str(point.seeds),
        active,
        *(f"{cost:,.0f}" for cost in costs),
        f"{runs[0].weight_bytes / 1024:,.0f}",
        float_pesq,
        *_scores(point, [run.int8 for run in runs]),
        *_above(point),
    )


def _scores(point: FrontPoint, int8: Sequence[Score]) -> list[str]:
    """Means over the seeds, with their spread where there are several."""
    from dyncp.base.quality import Score
    from dyncp.evaluation.plotting.sheet import number

    cells, mean = [], Score.mean(list(int8))
    for name, digits in METRICS:
        deviation = None if point.spread is None else getattr(point.spread, name)
        spread = "" if deviation is None else f" ± {deviation:.{digits}f}"
        cells.append(number(getattr(mean, name), digits) + spread)
    return cells


def _above(point: FrontPoint) -> list[str]:
    if point.above_front is None:
        return ["–"] * len(METRICS)
    gains = [(getattr(point.above_front, name), digits) for name, digits in METRICS]
    return ["–" if gain is None else f"{gain:+.{digits}f}" for gain, digits in gains]


DAY_HEADERS = (
    "network",
    "seeds",
    "MACs per frame of the day",
    "speech",
    "rest",
    "all active",
    "int8 weights, KB",
    "PESQ-WB",
    "ESTOI",
    "SI-SDR, dB",
    "DNSMOS OVRL",
    *HEADERS[-len(METRICS) :],
)


def day_front_sheet(front: DayFront) -> Sheet:
    """One row for each network, means over its seeds, by ascending mean MACs of the day."""
    from dyncp.evaluation.plotting.sheet import Sheet, number

    noisy = [number(getattr(front.noisy, name), digits) for name, digits in METRICS]
    rows = [("noisy", *[""] * 6, *noisy, *[""] * len(METRICS))]
    for point in front.points:
        runs = [run for run in front.runs if run.name == point.name]
        means = np.mean([(run.macs_mean, run.macs_speech, run.macs_rest) for run in runs], axis=0)
        size = f"{runs[0].weight_bytes / 1024:,.0f}"
        costs = (*(f"{cost:,.0f}" for cost in means), f"{runs[0].macs_all_active:,}", size)
        rows.append((point.name, str(point.seeds), *costs, *_scores(point, [run.int8 for run in runs]), *_above(point)))
    title = f"Quality of a day's talk spurts against its mean MACs, {front.minutes:g} minutes"
    return Sheet(title, DAY_HEADERS, rows)


def draw_front(front: Front, out: Path) -> None:
    """What the integer networks gain in PESQ and ESTOI over their mean MACs: static networks are the line."""
    _draw(front.points, out, "front", "thousand MACs per frame, mean")


def draw_day_front(front: DayFront, out: Path) -> None:
    """The same on a day's talk spurts, over the mean MACs of the day."""
    _draw(front.points, out, "front-day", "thousand MACs per frame, mean of the day")


def _draw(points: Sequence[FrontPoint], out: Path, name: str, cost_label: str) -> None:
    from dyncp.base.figure_style import MUTED
    from dyncp.evaluation.plotting.plots import COLOURS, drawn

    styles = ({"color": MUTED, "fmt": "s-"}, {"color": COLOURS[0], "fmt": "o"}, {"color": COLOURS[3], "fmt": "D"})
    with drawn(out, name, 8.0, 3.4) as figure:
        for axes, (metric, label) in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
            for (site, series), style in zip(SERIES, styles, strict=True):
                shown = [point for point in points if point.site == site]
                if not shown:
                    continue
                costs = [point.macs_mean / 1000 for point in shown]
                gains = [getattr(point.int8_gain, metric) for point in shown]
                spreads = [0.0 if point.spread is None else getattr(point.spread, metric) for point in shown]
                axes.errorbar(costs, gains, yerr=spreads, label=series, capsize=2, markersize=5, **style)
                for point, cost, gain in zip(shown, costs, gains, strict=True):
                    # The number alone: the series says the rest.
                    text = point.name.removeprefix("static").removeprefix(site)
                    axes.annotate(text, (cost, gain), (4, -9), textcoords="offset points", fontsize=7, color=MUTED)
            axes.set_xlabel(cost_label)
            axes.set_title(label)
            axes.grid(True)
        axes.legend(loc="lower right")
