# SPDX-License-Identifier: Apache-2.0
"""Fig. 5: which channels the probes listen to: normalised coefficients of the 64 strongest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.figure_style import INK
from dyncp.evaluation.paper.results import Channel, Coefficients, OutputCoefficients
from dyncp.evaluation.plotting import plots
from dyncp.train.probes.linear import LinearProbe

STRONGEST = 64


def normalised(weight: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights [F, O] of features with standard deviations `spread` [F], as if the features were z-scored; each
    output's largest becomes ±1, an output without weights stays 0."""
    effect = weight * spread[:, None]
    largest = np.abs(effect).max(axis=0)
    return np.asarray(effect / np.where(largest > 0, largest, 1.0))


def strongest_channels(
    probes: Mapping[str, LinearProbe], spread: NDArray[np.float64], count: int = STRONGEST
) -> NDArray[np.intp]:
    """Positions of the `count` features that matter most over all tasks, ascending.

    A feature's strength is the mean over the tasks of its largest normalised coefficient in that task. Features
    without any weight are left out. (The feature set `top64` is chosen anew for each task.)
    """
    if not probes:
        return np.empty(0, dtype=np.intp)
    by_task = [np.abs(normalised(probe.weight, spread)).max(axis=1) for probe in probes.values()]
    strength = np.mean(by_task, axis=0)
    order = np.argsort(-strength, kind="stable")[:count]
    return np.sort(order[strength[order] > 0])


def coefficients(
    probes: Mapping[str, LinearProbe],
    spread: NDArray[np.float64],
    strongest: NDArray[np.intp],
    informative: NDArray[np.bool_],
    gated: int,
) -> Coefficients:
    """Of probes on all masks: weights [blocks · gated, O] each; `informative` bool [blocks · gated]."""
    outputs = []
    for name, probe in probes.items():
        values = normalised(probe.weight, spread)[strongest]
        labels = probe.task.classes or [""]
        outputs += [
            OutputCoefficients(task=name, output=label, values=np.round(column, 4).tolist())
            for label, column in zip(labels, values.T, strict=True)
        ]
    blocks = len(spread) // gated
    return Coefficients(
        channels=[Channel(block=int(p // gated), channel=int(p % gated)) for p in strongest],
        outputs=outputs,
        by_block=np.bincount(strongest // gated, minlength=blocks).tolist(),
        informative_by_block=informative.reshape(blocks, gated).sum(axis=1).tolist(),
    )


def draw_coefficients(found: Coefficients, folder: Path) -> None:
    """A heat map, outputs by channels, blocks marked: coefficients.png and .svg."""
    if not found.channels:
        plots.left_out(folder, "coefficients")
        return
    values = np.array([output.values for output in found.outputs])
    names = [" · ".join(filter(None, (plots.title(o.task), o.output))) + _no_data(o) for o in found.outputs]
    with plots.drawn(folder, "coefficients", 10.0, 1.2 + 0.21 * len(values)) as figure:
        axes = figure.subplots()
        # The largest coefficient of an output need not be among the channels shown.
        image = axes.imshow(values, aspect="auto", cmap=plots.DIVERGING, vmin=-1, vmax=1)
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.tick_params(length=0)
        for row in range(1, len(values)):
            if found.outputs[row].task != found.outputs[row - 1].task:
                axes.axhline(row - 0.5, color=INK, linewidth=0.8)
        blocks = np.array([channel.block for channel in found.channels])
        edges = np.flatnonzero(np.diff(blocks)) + 0.5
        for edge in edges:
            axes.axvline(edge, color=INK, linewidth=0.8)
        shown = np.unique(blocks)
        centres = [float(np.flatnonzero(blocks == block).mean()) for block in shown]
        axes.set_xticks(centres, [str(block + 1) for block in shown])
        axes.set_xlabel(f"block of each of the {len(blocks)} strongest channels")
        figure.colorbar(image, ax=axes, label="coefficient, largest of its output = 1", pad=0.01, fraction=0.03)


def _no_data(output: OutputCoefficients) -> str:
    """A class without a frame in the fitting stream has no weight anywhere."""
    return "" if any(output.values) else " (no data)"
