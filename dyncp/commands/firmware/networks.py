# SPDX-License-Identifier: Apache-2.0
"""`dyncp networks`: what the package brings, how good it is and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from dyncp.commands.shared.options import Json
from dyncp.commands.shared.terminal import make_console

if TYPE_CHECKING:
    from dyncp.base.scores import Score
    from dyncp.export.formats.shipped import NetworkFigures


def networks(json_output: Json = False) -> None:
    """List the shipped networks: quality, signals, work per frame, flash and RAM. Other commands take their names."""
    from dyncp.base.paths import shipped_networks
    from dyncp.export.formats.shipped import read_figures

    every = {name: read_figures(name) for name in shipped_networks()}
    console = make_console(json_output=json_output)
    console.document({name: figures.model_dump(mode="json", exclude_none=True) for name, figures in every.items()})
    if json_output:
        return
    console.result(_table(every))
    console.result(
        "Quality: mixtures of unseen speakers and noises at -5 to 15 dB SNR. MACs and instructions are of a "
        "frame. Flash, RAM (stack included) and instructions: the C library with its signals on a Cortex-M4, -O3."
    )


def _table(every: dict[str, NetworkFigures]) -> Table:
    """A column for each network: rows are easier to widen than a terminal. Six networks fit one of 80 columns."""
    table = Table("", "noisy", *every, box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for metric in dict.fromkeys(metric for figures in every.values() for metric in figures.quality):
        gains = [figures.quality.get(metric) for figures in every.values()]
        before = dict.fromkeys(f"{gain.noisy:.2f}" for gain in gains if gain is not None)
        table.add_row(metric, ", ".join(before), *("" if gain is None else f"{gain.enhanced:.2f}" for gain in gains))
    table.add_section()
    for signal in dict.fromkeys(signal for figures in every.values() for signal in figures.signals):
        scores = [figures.signals.get(signal) for figures in every.values()]
        measure = "AUC" if any(score is not None and score.auc is not None for score in scores) else "R²"
        table.add_row(f"{signal}, {measure}", "", *map(_goodness, scores))
    table.add_section()
    for label, values in {
        "latency, ms": [f"{figures.latency_ms:g}" for figures in every.values()],
        "frame, ms": [f"{figures.hop_ms:g}" for figures in every.values()],
        "MACs, mean": [f"{figures.macs.mean:,.0f}" for figures in every.values()],
        "… at most": [f"{figures.macs.all_active:,}" for figures in every.values()],
        "instructions, mean": [f"{figures.core.instructions_mean:,.0f}" for figures in every.values()],
        "… worst frame": [f"{figures.core.instructions_max:,}" for figures in every.values()],
        "flash, bytes": [f"{figures.core.flash:,}" for figures in every.values()],
        "RAM, bytes": [f"{figures.core.ram:,}" for figures in every.values()],
    }.items():
        table.add_row(label, "", *values)
    return table


def _goodness(score: Score | None) -> str:
    if score is None:
        return ""
    if score.auc is not None:
        return f"{score.auc:.2f}"
    return "" if score.r2 is None else f"{score.r2:.2f}"
