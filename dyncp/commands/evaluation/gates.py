# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --gates`: what the decisions of a network's gates cost in sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from dyncp.commands.shared.quality import metrics_of, over_clips
from dyncp.commands.shared.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dyncp.evaluation.quality.gates import GateQuality
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.mixing.pairs import Pair


def run_gates(console: Terminal, folded: FoldedNetwork, pairs: Sequence[Pair]) -> GateQuality:
    """Scores with a progress bar, and prints them."""
    from dyncp.evaluation.quality.gates import score_gates

    with over_clips(console, "enhancing three times and scoring", len(pairs)) as progress:
        result = score_gates(folded, pairs, progress)
    console.result(_table(result, folded.config.sample_rate))
    return result


def _table(result: GateQuality, rate: int) -> Table:
    names = {"decided": "own gates", "told": "gates told", "open": "all open"}
    table = Table("", "noisy", *(names[row.gates] for row in result.rows))
    table.title = f"{result.clips} clips, float network"
    for label, field, digits in metrics_of(result.noisy, rate):
        scores = [result.noisy, *(row.score for row in result.rows)]
        table.add_row(label, *(f"{getattr(score, field):.{digits}f}" for score in scores))
    table.add_row("active near speech", "", *(f"{row.speech:.3f}" for row in result.rows))
    table.add_row("active at rest", "", *(f"{row.rest:.3f}" for row in result.rows))
    return table
