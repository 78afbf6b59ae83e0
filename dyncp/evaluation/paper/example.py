# SPDX-License-Identifier: Apache-2.0
"""Fig. 2: some seconds of the test stream: what is heard, which channels run, and what the masks say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.figure_style import INK
from dyncp.base.tasks import Task
from dyncp.evaluation.paper.results import Example
from dyncp.evaluation.plotting import plots
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.linear import LinearProbe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME_S = HOP / SAMPLE_RATE
SECONDS = 9.0
RANGE_DB = 70.0


@dataclass(frozen=True)
class Window:
    """A stretch of a stream, and the probes on all masks, [blocks · N] features."""

    data: ProbeData
    probes: Mapping[str, LinearProbe]
    informative: NDArray[np.bool_]
    frames: slice

    @property
    def start_s(self) -> float:
        return float(self.frames.start * FRAME_S)

    @property
    def extent(self) -> tuple[float, float]:
        return self.start_s, float(self.frames.stop * FRAME_S)

    def bits(self) -> NDArray[np.bool_]:
        """All mask bits, [frames, blocks · N]."""
        masks = self.data.observation.masks[self.frames]
        return masks.reshape(len(masks), -1)

    def switching(self) -> NDArray[np.bool_]:
        """Which of the informative bits change in this stretch, [blocks · N]."""
        bits = self.bits()
        return np.asarray(self.informative & bits.any(axis=0) & ~bits.all(axis=0))

    def words(self, task: str) -> NDArray[np.float64]:
        return self.probes[task].words(self.bits())


def choose_window(data: ProbeData, seconds: float = SECONDS) -> slice:
    """The stretch with the most changes of talker and noise of those that are half to nine tenths speech.

    The first of equals; the most eventful of all where no stretch has that share.
    """
    stream = data.stream
    length = min(round(seconds / FRAME_S), stream.frames)
    changes = np.zeros(stream.frames)
    for segments in (stream.speech, stream.noises):
        starts = [segment.start for segment in segments if 0 < segment.start < stream.frames]
        changes[starts] += 1
    speech = np.zeros(stream.frames)
    for segment in stream.speech:
        speech[segment.start : segment.start + segment.hops] = 1
    events, share = (_window_sums(values, length) for values in (changes, speech / length))
    suitable = (share > 0.5) & (share < 0.9)
    start = int(np.argmax(np.where(suitable, events, -1.0))) if suitable.any() else int(np.argmax(events))
    return slice(start, start + length)


def _window_sums(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(total[length:] - total[:-length])


def describe(window: Window) -> Example:
    bits = window.bits()[:, window.informative]
    return Example(
        start_s=window.start_s,
        seconds=len(bits) * FRAME_S,
        informative=bits.shape[1],
        switching=int(window.switching().sum()),
        flips_per_frame=float((bits[1:] != bits[:-1]).sum() / max(1, len(bits) - 1)),
    )


def draw_example(window: Window, folder: Path) -> None:
    """Spectrogram, masks, then truth and estimate of each task: example.png and .svg."""
    tasks = [task for task in window.data.tasks if task.name in window.probes]
    ratios = [1.5, 3.4, *(0.9 if task.kind == "regression" else 0.55 for task in tasks)]
    with plots.drawn(folder, "example", 10.0, 0.6 + 0.85 * sum(ratios)) as figure:
        axes = figure.subplots(len(ratios), 1, sharex=True, gridspec_kw={"height_ratios": ratios})
        _spectrogram(axes[0], window)
        _masks(axes[1], window)
        for panel, task in zip(axes[2:], tasks, strict=True):
            (_curves if task.kind == "regression" else _strips)(panel, window, task)
        axes[-1].set_xlim(*window.extent)
        axes[-1].set_xlabel("time in the test stream (s)")
        figure.align_ylabels(axes)


def _label(axes: Axes, text: str) -> None:
    axes.set_ylabel(text, rotation=0, ha="right", va="center", color=INK)


def _spectrogram(axes: Axes, window: Window) -> None:
    level = 20 * window.data.observation.log_magnitude[window.frames].T
    extent = (*window.extent, 0.0, SAMPLE_RATE / 2000)
    top = float(level.max())
    axes.imshow(level, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=top - RANGE_DB, vmax=top)
    axes.set_yticks([0, 4, 8])
    _label(axes, f"noisy input\n(kHz; dark to\nbright: {RANGE_DB:g} dB)")


def _masks(axes: Axes, window: Window) -> None:
    """The masks that switch in this stretch; within a block, those that are on most lie at the bottom."""
    switching = window.switching()
    bits = window.bits()[:, switching]
    blocks = np.flatnonzero(switching) // window.data.observation.masks.shape[2]
    order = np.lexsort((-bits.mean(axis=0), blocks))
    if len(blocks):
        extent = (*window.extent, 0.0, float(len(blocks)))
        axes.imshow(~bits[:, order].T, origin="lower", aspect="auto", extent=extent, cmap="gray", vmin=0, vmax=1)
    for edge in np.flatnonzero(np.diff(blocks)) + 1:
        axes.axhline(float(edge), color=plots.ESTIMATE, linewidth=1.0)
    shown = np.unique(blocks)
    axes.set_yticks([float(np.flatnonzero(blocks == b).mean()) + 0.5 for b in shown], [str(b + 1) for b in shown])
    axes.tick_params(axis="y", length=0)
    _label(axes, f"{len(blocks)} of {window.informative.sum()}\nmasks switch,\nby block\n(black: on)")


def _times(window: Window) -> NDArray[np.float64]:
    return np.arange(window.frames.start, window.frames.stop) * FRAME_S


def _curves(axes: Axes, window: Window, task: Task) -> None:
    """A quantity: the truth where it is defined, the estimate where the task is valid."""
    used = window.data.used(task)[window.frames]
    truth = np.where(used, window.data.labels[task.name][window.frames], np.nan)
    estimate = np.where(used, window.words(task.name)[:, 0], np.nan)
    axes.plot(_times(window), truth, color=plots.TRUTH, linewidth=1.4)
    axes.plot(_times(window), estimate, color=plots.ESTIMATE, linewidth=1.0)
    axes.grid(axis="y")
    axes.margins(y=0.12)
    _label(axes, plots.title(task.name) + f"\n({task.unit})")
    _legend(axes, [(plots.TRUTH, "truth"), (plots.ESTIMATE, "masks")])


def _strips(axes: Axes, window: Window, task: Task) -> None:
    """Classes: the truth above, the estimate below, grey where the task says nothing."""
    from matplotlib.colors import to_rgb

    used, words = window.data.used(task)[window.frames], window.words(task.name)
    decided = (words[:, 0] > 0).astype(int) if task.kind == "binary" else words.argmax(axis=1)
    rows = np.stack([np.where(used, window.data.labels[task.name][window.frames], -1), np.where(used, decided, -1)])
    names = task.classes or ["no", "yes"]
    present = [int(index) for index in np.unique(rows) if index >= 0]
    palette = {-1: to_rgb("#eef1f4"), **{index: to_rgb(_class_colour(task, index)) for index in present}}
    picture = np.array([[palette[int(index)] for index in row] for row in rows])
    axes.imshow(picture, aspect="auto", extent=(*window.extent, 2.0, 0.0))
    axes.axhline(1, color="white", linewidth=1.5)
    axes.set_yticks([0.5, 1.5], ["truth", "masks"], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    _label(axes, plots.title(task.name))
    _legend(axes, [(_class_colour(task, index), names[index]) for index in present])


def _class_colour(task: Task, index: int) -> str:
    return ("#c9d6e0", plots.COLOURS[0])[index] if task.kind == "binary" else plots.colour(index)


def _legend(axes: Axes, entries: list[tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=colour, label=label) for colour, label in entries]
    axes.legend(
        handles=handles, loc="center left", bbox_to_anchor=(1.005, 0.5), handlelength=0.8, handleheight=0.8,
        fontsize=7.5, labelspacing=0.25, borderpad=0, columnspacing=0.9, handletextpad=0.4,
        ncols=1 + (len(entries) > 3),
    )  # fmt: skip
