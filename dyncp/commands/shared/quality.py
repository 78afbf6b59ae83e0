# SPDX-License-Identifier: Apache-2.0
"""Scores of networks, computed with a progress bar and printed: what `dyncp export` and `dyncp evaluate` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dyncp.commands.shared.terminal import Terminal

if TYPE_CHECKING:
    from dyncp.base.quality import Comparison, Score, Scores
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.mixing.pairs import Pair

# As printed, as named in Score, decimals.
METRICS = (
    ("PESQ", "pesq", 3),
    ("STOI", "stoi", 3),
    ("ESTOI", "estoi", 3),
    ("SI-SDR, dB", "si_sdr", 2),
    ("DNSMOS SIG", "sig", 3),
    ("DNSMOS BAK", "bak", 3),
    ("DNSMOS OVRL", "ovrl", 3),
)


def metrics_of(score: Score, rate: int) -> list[tuple[str, str, int]]:
    """The metrics that a score has: all of them, or all but DNSMOS where that is not installed.

    `rate` is the network's, by which PESQ is named.
    """
    from dyncp.base.quality import pesq_label

    named = {"pesq": pesq_label(rate)}
    return [(named.get(field, label), field, n) for label, field, n in METRICS if getattr(score, field) is not None]


def scored(
    console: Console,
    folded: FoldedNetwork,
    bundle: Bundle | None,
    pairs: Sequence[Pair],
    title: str = "enhancing and scoring",
) -> Comparison:
    """`dyncp.evaluation.quality.compare.compare` with a progress bar."""
    from dyncp.evaluation.quality.compare import compare

    with over_clips(console, title, len(pairs)) as progress:
        return compare(folded, bundle, pairs, progress)


@contextmanager
def over_clips(console: Console, title: str, clips: int) -> Iterator[Callable[[int], None]]:
    """A progress bar over so many clips; call what it gives with how many more are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(title, total=clips)
        yield lambda done: progress.advance(bar, done)


def print_comparison(console: Terminal, comparison: Comparison, rate: int) -> None:
    """Means, then by SNR, then what the gates cost and save."""
    console.result(_means(comparison, rate))
    if len(comparison.by_snr) > 1:
        console.result(_by_snr(comparison, rate))
    for line in _lines(comparison):
        console.result(line)


def _means(comparison: Comparison, rate: int) -> Table:
    integers = comparison.int8 is not None
    engines = ("float", "int8") if integers else ("float",)
    table = Table("", "noisy", *engines, *(f"{name} − noisy" for name in engines))
    table.title = f"{comparison.clips} clips, speakers and noises never seen"
    values = [comparison.noisy, comparison.float_, comparison.int8]
    gains = [comparison.float_gain, comparison.int8_gain]
    for label, field, digits in metrics_of(comparison.noisy, rate):
        cells = [f"{getattr(score, field):.{digits}f}" for score in values if score is not None]
        cells += [f"{getattr(score, field):+.{digits}f}" for score in gains if score is not None]
        table.add_row(label, *cells)
    return table


def _by_snr(comparison: Comparison, rate: int) -> Table:
    name = "float" if comparison.int8 is None else "int8"
    labels = (label.removesuffix(", dB") for label, _, _ in metrics_of(comparison.noisy, rate))
    table = Table("SNR, dB", "clips", *labels)
    table.title = f"noisy → {name}"
    for row in comparison.by_snr:
        table.add_row(f"{row.low_db} to {row.high_db}", str(row.clips), *steps(row, rate))
    return table


def steps(scores: Scores, rate: int) -> list[str]:
    """`noisy → enhanced` of each metric, by the integer network if there is one."""
    enhanced = scores.int8 or scores.float_
    metrics = metrics_of(scores.noisy, rate)
    return [_step(scores.noisy, enhanced, field, max(digits - 1, 1)) for _, field, digits in metrics]


def _step(noisy: Score, enhanced: Score, field: str, digits: int) -> str:
    return f"{getattr(noisy, field):.{digits}f} → {getattr(enhanced, field):.{digits}f}"


def _lines(comparison: Comparison) -> list[str]:
    lines = [
        f"MACs per frame: mean {comparison.macs_per_frame:,.0f}, p95 {comparison.macs_p95:,.0f}, "
        f"all active {comparison.macs_all_active:,}{_bound(comparison)}"
    ]
    if comparison.utilization_float is None:
        lines.append("no gates: every channel is always active")
    else:
        integers = "" if comparison.utilization_int8 is None else f", int8 {comparison.utilization_int8:.3f}"
        blocks = ", ".join(f"{share:.2f}" for share in comparison.utilization)
        lines.append(f"utilization: float {comparison.utilization_float:.3f}{integers}; by block {blocks}")
        stuck = comparison.always_on + comparison.always_off
        lines.append(
            f"gates: {comparison.always_on} always on, {comparison.always_off} always off, "
            f"{comparison.informative_masks} informative"
            + (" (a gate that never changes costs its 1×1 row for nothing)" if stuck else "")
        )
    if comparison.agreement_db is not None:
        lines.append(f"int8 against float: SI-SDR {comparison.agreement_db:.1f} dB{_differing(comparison)}")
    return lines


def _bound(comparison: Comparison) -> str:
    return "" if comparison.macs_bound == comparison.macs_all_active else f", capped at {comparison.macs_bound:,}"


def _differing(comparison: Comparison) -> str:
    if comparison.differing_mask_bits is None:
        return ""
    among = comparison.differing_informative_bits
    informative = "" if among is None else f" ({among:.2%} of the informative ones)"
    return f", {comparison.differing_mask_bits:.2%} of mask bits differ{informative}"
