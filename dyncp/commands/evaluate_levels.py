# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --levels`: whether a network hears quiet and loud speech alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from dyncp.commands.quality import scored

if TYPE_CHECKING:
    from dyncp.export.bundle import Bundle
    from dyncp.export.compare import Comparison
    from dyncp.export.fold import FoldedNetwork
    from dyncp.export.levels import LevelTable
    from dyncp.train.corpus import Corpus


def parse_levels(text: str) -> list[float]:
    """`-40,-26.5` → dBFS. Raises ConfigError."""
    from dyncp.train.errors import ConfigError

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
    """The mixtures of `dyncp evaluate`, made anew at each active speech level in dBFS."""
    from dyncp.export.levels import LevelRow, LevelTable
    from dyncp.train.pairs import EVALUATION, make_pairs

    rows = []
    for level in levels:
        mixing = EVALUATION.model_copy(update={"level_dbfs": (level, level)})
        pairs = make_pairs(corpus, split, clips, mixing)
        attenuations = [pair.attenuation_db for pair in pairs]
        row = LevelRow(
            level_dbfs=level,
            reached_dbfs=level - sum(attenuations) / clips,
            turned_down=sum(attenuation > 0 for attenuation in attenuations),
            comparison=scored(console, folded, bundle, pairs, f"at {level:g} dBFS"),
        )
        rows.append(row)
    return LevelTable(rows=rows)


def print_levels(console: Console, levels: LevelTable) -> None:
    first = levels.rows[0].comparison
    engines = "noisy, float" if first.int8 is None else "noisy, float, int8"
    table = Table("dBFS", "reached", "PESQ-WB", "ESTOI", "SI-SDR, dB", "active")
    table.title = f"{first.clips} clips at each level of speech: {engines}"
    for row in levels.rows:
        scores = (
            _scores(row.comparison, field, digits) for field, digits in (("pesq", 2), ("estoi", 2), ("si_sdr", 1))
        )
        table.add_row(f"{row.level_dbfs:g}", f"{row.reached_dbfs:.1f}", *scores, _active(row.comparison))
    console.print(table)


def _scores(comparison: Comparison, field: str, digits: int) -> str:
    scores = (comparison.noisy, comparison.float_, comparison.int8)
    return " ".join(f"{getattr(score, field):.{digits}f}" for score in scores if score is not None)


def _active(comparison: Comparison) -> str:
    share = comparison.utilization_int8 or comparison.utilization_float
    return "all" if share is None else f"{share:.1%}"
