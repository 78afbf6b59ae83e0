# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --levels`: whether a network hears quiet and loud speech alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from dyncp.commands.shared.quality import scored
from dyncp.commands.shared.terminal import Terminal

if TYPE_CHECKING:
    from dyncp.base.quality import Comparison
    from dyncp.evaluation.quality.levels import LevelTable
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.corpora.recordings import Corpus
    from dyncp.train.mixing.pairs import Pair


def parse_levels(text: str) -> list[float]:
    """`-40,-26.5` → dBFS. Raises ConfigError."""
    from dyncp.base.errors import ConfigError

    try:
        levels = [float(part) for part in text.split(",")]
    except ValueError:
        levels = []
    if not levels or not all(-90 <= level <= 0 for level in levels):
        raise ConfigError(f"--levels {text}: must be levels in dBFS from -90 to 0, as -40,-30,-20,-10")
    return levels


def score_levels(
    console: Console,
    folded: FoldedNetwork,
    bundle: Bundle | None,
    corpus: Corpus,
    split: Literal["validation", "test"],
    clips: int,
    levels: list[float],
) -> LevelTable:
    """The mixtures of `dyncp evaluate`, their noisy speech brought to each level in dBFS."""
    from dyncp.evaluation.quality.levels import LevelRow, LevelTable
    from dyncp.train.mixing.pairs import make_pairs

    mixtures = make_pairs(corpus, split, clips, framing=folded.config.framing)
    rows = []
    for level in levels:
        pairs = [pair.at_level(level) for pair in mixtures]
        comparison = scored(console, folded, bundle, pairs, f"at {level:g} dBFS")
        rows.append(LevelRow(level_dbfs=level, saturated=_saturated(pairs), comparison=comparison))
    return LevelTable(rows=rows)


def _saturated(pairs: list[Pair]) -> float:
    ends = sum(int(((pair.noisy == 32767) | (pair.noisy == -32768)).sum()) for pair in pairs)
    return ends / sum(len(pair.noisy) for pair in pairs)


def print_levels(console: Terminal, levels: LevelTable, rate: int) -> None:
    from dyncp.base.quality import pesq_label

    first = levels.rows[0].comparison
    engines = "noisy, float" if first.int8 is None else "noisy, float, int8"
    table = Table("dBFS", "saturated", pesq_label(rate), "ESTOI", "SI-SDR, dB", "active")
    table.title = f"{first.clips} clips at each level of speech: {engines}"
    shown = (("pesq", 2), ("estoi", 2), ("si_sdr", 1))
    for row in levels.rows:
        scores = (_scores(row.comparison, field, digits) for field, digits in shown)
        table.add_row(f"{row.level_dbfs:g}", f"{row.saturated:.2%}", *scores, _active(row.comparison))
    console.result(table)


def _scores(comparison: Comparison, field: str, digits: int) -> str:
    scores = (comparison.noisy, comparison.float_, comparison.int8)
    return " ".join(f"{getattr(score, field):.{digits}f}" for score in scores if score is not None)


def _active(comparison: Comparison) -> str:
    share = comparison.utilization_int8 or comparison.utilization_float
    return "all" if share is None else f"{share:.1%}"
