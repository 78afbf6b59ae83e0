# SPDX-License-Identifier: Apache-2.0
"""Figures over time: audio, masks and multiply–accumulates. At most the first `SHOWN_SECONDS` are drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import SAMPLE_RATE, Framing
from dyncp.base.figure_style import GRID, INK, MUTED
from dyncp.firmware.report.contents.schema import Report
from dyncp.firmware.report.contents.validation import Validation
from dyncp.firmware.report.figures.drawing import (
    BLUE,
    ORANGE,
    PALE,
    Canvas,
    Drawing,
    Layout,
    draw,
    spread,
)

SHOWN_SECONDS = 60
SPECTRUM_S = 0.016
"""From one spectrum that is drawn to the next, whatever the network's frames."""
DYNAMIC_RANGE_DB = 70.0

_TIME_AXIS = 26  # pixels below the last axes of a figure

Floats = NDArray[np.float64]


def pool(values: NDArray[np.generic], columns: int) -> Floats:
    """Means of equal runs along the first axis, at most `columns` of them; the last run may be shorter."""
    run = -(-len(values) // columns)
    starts = np.arange(0, len(values), run)
    sums = np.add.reduceat(values.astype(np.float64), starts, axis=0)
    counts = np.diff(np.append(starts, len(values))).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(sums / counts)


def spectrogram_db(pcm: Pcm, rate: int = SAMPLE_RATE) -> Floats:
    """Power per bin in dB relative to a full-scale sine, Hann window of 32 ms every 16 ms: float [frames, bins]."""
    framing = Framing(rate=rate).standard
    padded = np.concatenate([np.zeros(framing.fft - framing.hop), pcm / 32768.0])
    frames = np.lib.stride_tricks.sliding_window_view(padded, framing.fft)[:: framing.hop]
    window = np.hanning(framing.fft + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * window, axis=1) / (window.sum() / 2)) ** 2
    return np.asarray(10 * np.log10(power + 1e-12))


def audio_figure(pcm: Pcm, loudest_db: float, rate: int = SAMPLE_RATE) -> Drawing:
    """Waveform above spectrogram; `loudest_db` is the top of the colour scale."""
    return draw(partial(_paint_audio, pcm[: SHOWN_SECONDS * rate], spectrogram_db(pcm, rate), loudest_db, rate))


def _paint_audio(pcm: Pcm, levels_db: Floats, loudest_db: float, rate: int, layout: Layout) -> Canvas:
    wave, gap, spectrum = (84, 18, 190) if layout.name == "wide" else (60, 16, 130)
    canvas = Canvas(layout, 8 + wave + gap + spectrum + _TIME_AXIS)
    seconds, hop = len(pcm) / rate, Framing(rate=rate).standard.hop

    axes = canvas.axes(8, wave)
    blocks = pcm[: len(pcm) // hop * hop].reshape(-1, hop) / 32768.0
    run = -(-len(blocks) // layout.columns)
    starts = np.arange(0, len(blocks), run)
    low = np.minimum.reduceat(blocks.min(axis=1), starts)
    high = np.maximum.reduceat(blocks.max(axis=1), starts)
    axes.fill_between((starts + run / 2) * SPECTRUM_S, low, high, color=BLUE, linewidth=0.4)
    axes.set_ylim(-1, 1)
    axes.set_yticks([-1, 0, 1], ["−1", "0", "1"])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False)
    axes.axhline(0, color=MUTED, linewidth=0.5)
    axes.set_xlim(0, seconds)
    peak, rms = (20 * np.log10(max(v, 1e-6)) for v in (np.abs(blocks).max(), np.sqrt(np.mean(blocks**2))))
    apart = layout.text * 1.5
    _note(canvas, 8 + wave / 2 - apart, "peak", f"{_signed(peak)} dB", MUTED)
    _note(canvas, 8 + wave / 2 + apart, "RMS", f"{_signed(rms)} dB", MUTED)

    top = 8 + wave + gap
    time_axis(paint_spectrogram(canvas, top, spectrum, levels_db[: len(blocks)], loudest_db, rate), seconds)
    return canvas


def paint_spectrogram(
    canvas: Canvas, top: float, height: float, levels_db: Floats, loudest_db: float, rate: int = SAMPLE_RATE
) -> Axes:
    """Levels [frames, bins] over time, 0 Hz to half the rate, with the colour scale in the margin."""
    axes = canvas.axes(top, height)
    limits = (loudest_db - DYNAMIC_RANGE_DB, loudest_db)
    image = _raster(axes, levels_db, canvas.layout, rate / 2000, colormaps["magma"], limits, SPECTRUM_S)
    axes.set_yticks(range(0, rate // 2000 + 1, rate // 8000))
    axes.set_ylabel("kHz")
    bar_axes = canvas.axes(top, height, left=canvas.margin, width=10)
    bar = canvas.figure.colorbar(image, cax=bar_axes)
    bar.outline.set_visible(False)
    bar.ax.tick_params(size=0)
    bar.ax.yaxis.set_major_locator(MaxNLocator(4))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f} dB".replace("-", "−")))
    return axes


def _raster(
    axes: Axes,
    values: NDArray[np.generic],
    layout: Layout,
    top: float,
    colours: Colormap,
    limits: tuple[float, float],
    frame_s: float,
) -> AxesImage:
    """Draw [frames, rows] as an image over time, one every `frame_s`; row 0 at the bottom, the last one below `top`."""
    pooled = pool(values, layout.columns)
    run = -(-len(values) // layout.columns)
    image = axes.imshow(
        pooled.T,
        origin="lower",
        aspect="auto",
        extent=(0.0, len(pooled) * run * frame_s, 0.0, top),
        cmap=colours.resampled(48),
        vmin=limits[0],
        vmax=limits[1],
    )
    axes.set_xlim(0, len(values) * frame_s)
    return image


def _note(canvas: Canvas, middle: float, label: str, value: str, color: str) -> None:
    """A label above its value, in the margin at the right."""
    step = canvas.layout.text * 0.68
    canvas.text(canvas.margin, middle - step, label, color=color)
    canvas.text(canvas.margin, middle + step, value, color=color, bold=True)


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def time_axis(axes: Axes, seconds: float, label: bool = True) -> None:
    """Seconds along the bottom, from 0."""
    axes.set_xlim(0, seconds)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g} s"))
    axes.tick_params(labelbottom=label)


def frame_seconds(report: Report) -> float:
    """From one frame of the network to the next."""
    return report.audio.hop / report.audio.sample_rate


def shown_frames(report: Report) -> int:
    """At most as many frames as are drawn."""
    return SHOWN_SECONDS * report.audio.sample_rate // report.audio.hop


def mask_figure(report: Report, validation: Validation) -> Drawing:
    """Every gated channel over time, block by block, each block sorted by use; utilization beside it."""
    active = validation.active
    order = np.argsort(active.mean(axis=0), axis=1, kind="stable")
    shown = np.take_along_axis(active[: shown_frames(report)], order[None], axis=2)
    return draw(partial(_paint_masks, report, shown))


def _paint_masks(report: Report, shown: NDArray[np.bool_], layout: Layout) -> Canvas:
    wide = layout.name == "wide"
    frames, blocks, channels = shown.shape
    frame_s = frame_seconds(report)
    height = blocks * (58 if wide else 44)
    canvas = Canvas(layout, 26 + height + _TIME_AXIS)
    colours = LinearSegmentedColormap.from_list("masks", ["#f6f8fa", BLUE])
    axes = canvas.axes(26, height)
    # Block 0 comes first from the top, its busiest channels above its idle ones.
    rows = shown[:, ::-1].reshape(frames, blocks * channels)
    _raster(axes, rows, layout, float(blocks), colours, (0.0, 1.0), frame_s)
    axes.hlines(np.arange(1, blocks), 0, frames * frame_s, color="white", linewidth=3)
    labels = [f"block {block}" if wide else str(block) for block in range(blocks)]
    axes.set_yticks(blocks - 0.5 - np.arange(blocks), labels)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if not wide:
        axes.set_ylabel("block")
    time_axis(axes, frames * frame_s)

    canvas.text(canvas.margin, 11, "utilization" if wide else "active", color=MUTED)
    bars = canvas.axes(26, height, left=canvas.margin, width=layout.width - canvas.margin - 44)
    shares = np.array([block.mean for block in report.utilization.by_block])
    middles = blocks - 0.5 - np.arange(blocks)
    bars.barh(middles, np.ones(blocks), height=0.24, color=GRID)
    bars.barh(middles, shares, height=0.24, color=BLUE)
    bars.set_xlim(0, 1)
    bars.set_ylim(0, blocks)
    bars.axis("off")
    for middle, share in zip(middles, shares, strict=True):
        canvas.text(layout.width - 38, 26 + (1 - middle / blocks) * height, f"{share:.0%}")
    return canvas


def macs_figure(report: Report, validation: Validation) -> Drawing:
    """Multiply–accumulates of each frame, between the lines of no and of every channel active, and below the cap's."""
    return draw(partial(_paint_macs, report, validation.macs[: shown_frames(report)]))


def _paint_macs(report: Report, macs: NDArray[np.int64], layout: Layout) -> Canvas:
    # On a phone there is no room for a label beside the numbers: it stands above them.
    wide = layout.name == "wide"
    above, height = (12, 210) if wide else (26, 170)
    canvas = Canvas(layout, above + height + _TIME_AXIS)
    axes = canvas.axes(above, height)
    figures, frame_s = report.macs.per_frame, frame_seconds(report)
    time = np.arange(len(macs) + 1) * frame_s
    thousands = np.append(macs, macs[-1]) / 1000
    least = figures.none_active / 1000
    axes.fill_between(time, least, thousands, step="post", color=PALE, linewidth=0)
    axes.step(time, thousands, where="post", color=BLUE, linewidth=1.1)
    lines = [
        ("all active", figures.all_active, MUTED, "--"),
        *([] if figures.capped is None else [("capped", figures.capped, INK, "--")]),
        ("mean", figures.mean, ORANGE, "-"),
        ("none active", figures.none_active, MUTED, ":"),
    ]
    # From the cost that no gate can save up: on an axis from 0, what gates decide would be a line.
    margin = 0.06 * (figures.all_active / 1000 - least)
    low, top = least - margin, figures.all_active / 1000 + margin
    for _, value, color, style in lines:
        axes.axhline(value / 1000, color=color, linewidth=1.2, linestyle=style)
    axes.set_ylim(low, top)
    if wide:
        axes.set_ylabel("thousand MACs")
    else:
        canvas.text(4, 10, "thousand MACs", color=MUTED)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    time_axis(axes, len(macs) * frame_s)
    heights = [above + height * (top - value / 1000) / (top - low) for _, value, _, _ in lines]
    for (name, value, color, _), y in zip(lines, spread(heights, 2.9 * layout.text), strict=True):
        _note(canvas, y, name, f"{value:,.0f}", color)
    return canvas
