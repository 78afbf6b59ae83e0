# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --clean`: what a network costs speech that has no noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from dyncp.commands.shared.quality import metrics_of, over_clips
from dyncp.commands.shared.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dyncp.evaluation.quality.clean import CleanQuality
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.mixing.pairs import Pair


def run_clean(console: Terminal, folded: FoldedNetwork, bundle: Bundle | None, pairs: Sequence[Pair]) -> CleanQuality:
    """Scores with a progress bar, and prints them."""
    from dyncp.evaluation.quality.clean import score_clean

    with over_clips(console, "clean speech through the network", len(pairs)) as progress:
        result = score_clean(folded, bundle, pairs, progress)
    console.result(_table(result, folded.config.sample_rate))
    return result


def _table(result: CleanQuality, rate: int) -> Table:
    engines = [("float", result.float_)] + ([("int8", result.int8)] if result.int8 else [])
    table = Table("", "clean", *(name for name, _ in engines))
    table.title = f"{result.clips} clips of clean speech, speakers never seen"
    for label, field, digits in metrics_of(result.clean, rate):
        scores = [result.clean, *(clean.score for _, clean in engines)]
        # Of a signal against itself, what is left is rounding.
        first = "–" if field == "si_sdr" else f"{getattr(scores[0], field):.{digits}f}"
        table.add_row(label, first, *(f"{getattr(score, field):.{digits}f}" for score in scores[1:]))
    table.add_row("level, dB", "0.00", *(f"{clean.level_db:+.2f}" for _, clean in engines))
    return table
