# SPDX-License-Identifier: Apache-2.0
"""`report.html`: one page that needs nothing but itself. Figures, audio, style and script are inlined."""

from __future__ import annotations

from pathlib import Path

import jinja2

from dyncp.base.audio import Pcm
from dyncp.base.quality import pesq_label
from dyncp.firmware.report.contents.day import TITLES
from dyncp.firmware.report.contents.schema import Report
from dyncp.firmware.report.contents.validation import Validation
from dyncp.firmware.report.contents.verdict import failures, headline, remark
from dyncp.firmware.report.figures.bars import cores_figure, day_figure, layers_figure, memory_figure
from dyncp.firmware.report.figures.drawing import NARROW, WIDE, Layout
from dyncp.firmware.report.figures.timelines import (
    SHOWN_SECONDS,
    frame_seconds,
    macs_figure,
    mask_figure,
    shown_frames,
)
from dyncp.firmware.report.figures.traces import traces_figure
from dyncp.firmware.report.players import make_players

TEMPLATE = "page.html.j2"
MOBILE_MAX_WIDTH = 700  # CSS pixels up to which the narrow figures are shown


def render_page(report: Report, validation: Validation, clean: Pcm | None = None) -> str:
    """The whole page as HTML; `clean` is the speech in the validated audio, int16 and as long, where it is known."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "kib": _kib,
        "integer": _integer,
        "percent": _percent,
        "share": _share,
        "optional": _optional,
        "remark": remark,
    }
    shown_seconds = min(report.audio.frames, shown_frames(report)) * frame_seconds(report)
    return environment.get_template(TEMPLATE).render(
        report=report,
        headline=headline(report),
        failures=failures(report),
        players=make_players(report, validation, clean),
        day=None if report.day is None else day_figure(report.day),
        day_titles=TITLES,
        masks=mask_figure(report, validation),
        macs=macs_figure(report, validation),
        traces=None if report.signals is None else traces_figure(report.signals, shown_seconds),
        layers=layers_figure(report.macs.by_layer),
        memory=memory_figure(report) if report.targets else None,
        cores=cores_figure(report.targets) if report.targets else None,
        groups=list(report.targets[0].instructions_by_group) if report.targets else [],
        shown_seconds=shown_seconds,
        stack=max((target.stack_bytes for target in report.targets), default=0),
        truncated=report.audio.seconds > SHOWN_SECONDS,
        framing=report.bundle.network.framing,
        pesq=pesq_label(report.audio.sample_rate),
        time_axes={layout.name: _time_axis(layout) for layout in (WIDE, NARROW)},
        mobile_max_width=MOBILE_MAX_WIDTH,
    )


def _time_axis(layout: Layout) -> tuple[float, float]:
    """Where the time axes start and end, as shares of a figure's width."""
    return layout.left / layout.width, (layout.width - layout.right) / layout.width


def _kib(size: int) -> str:
    return f"{size / 1024:,.1f}"


def _integer(value: float) -> str:
    return f"{value:,.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _share(share: float | None) -> str:
    return "" if share is None else _percent(share)


def _optional(value: float | None, unit: str = "", digits: int = 2) -> str:
    """A number in its unit; nothing where there is none."""
    return "" if value is None else f"{value:.{digits}f} {unit}".strip().replace("-", "−")
