# SPDX-License-Identifier: Apache-2.0
"""`report.html`: one page that needs nothing but itself. Figures, audio, style and script are inlined."""

from __future__ import annotations

import base64
import io
import wave
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.firmware.report.contents.day import TITLES
from dyncp.firmware.report.contents.schema import Report
from dyncp.firmware.report.contents.validation import Validation
from dyncp.firmware.report.contents.verdict import failures, headline, remark
from dyncp.firmware.report.figures.bars import cores_figure, day_figure, layers_figure, memory_figure
from dyncp.firmware.report.figures.drawing import NARROW, WIDE, Drawing, Layout
from dyncp.firmware.report.figures.timelines import (
    SHOWN_SECONDS,
    audio_figure,
    frame_seconds,
    macs_figure,
    mask_figure,
    shown_frames,
    spectrogram_db,
)
from dyncp.firmware.report.figures.traces import traces_figure

TEMPLATE = "page.html.j2"
MOBILE_MAX_WIDTH = 700  # CSS pixels up to which the narrow figures are shown


@dataclass(frozen=True)
class Player:
    """One recording: its samples as a WAV data URI and its figure."""

    name: str
    caption: str
    uri: str
    figure: Drawing


def render_page(report: Report, validation: Validation) -> str:
    """The whole page as HTML."""
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
        players=_players(report, validation),
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
        time_axes={layout.name: _time_axis(layout) for layout in (WIDE, NARROW)},
        mobile_max_width=MOBILE_MAX_WIDTH,
    )


def wav_data_uri(pcm: Pcm) -> str:
    """At most the first `SHOWN_SECONDS` as a 16-bit mono WAV."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm[: SHOWN_SECONDS * SAMPLE_RATE].astype("<i2").tobytes())
    return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _players(report: Report, validation: Validation) -> list[Player]:
    # One colour scale for both; isolated clicks do not set its top.
    loudest_db = float(np.ceil(np.percentile(spectrogram_db(validation.noisy), 99.9)))
    audio = report.audio
    recordings = (
        ("Noisy input", "What every engine was given.", validation.noisy),
        (
            "Enhanced output",
            f"The integer reference's output, which every core must equal; it lags the input by {audio.delay_ms:g} ms, "
            f"and what a device gives out is {audio.latency_ms:g} ms old, since a hop has to come in first.",
            validation.enhanced,
        ),
    )
    return [
        Player(name, caption, wav_data_uri(pcm), audio_figure(pcm, loudest_db)) for name, caption, pcm in recordings
    ]


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
