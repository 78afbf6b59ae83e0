# SPDX-License-Identifier: Apache-2.0
"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dyncp.firmware.cost.events import CycleEstimate
from dyncp.firmware.report.contents.day import TITLES, DayRecord
from dyncp.firmware.report.contents.schema import Report
from dyncp.firmware.report.contents.verdict import failures, headline


def print_report(report: Report, console: Console | None = None) -> None:
    """Verdict, costs and cores as Rich tables; without `console`, to standard output.

    Blank lines between them are for a terminal: a pipe gets none.
    """
    console = console or Console()
    verdict = report.verdict
    word, style = ("Bit-exact", "bold green") if verdict.passed else ("Not bit-exact", "bold red")
    console.print(Text(f"{word}: {headline(report)}", style=style))
    for failure in failures(report):
        console.print(Text(f"  {failure}", style="red"))
    for table in _tables(report):
        if table.title is not None and console.is_terminal:
            console.print()
        console.print(table)


def _tables(report: Report) -> Iterator[Table]:
    """What there is to tell, in order."""
    if report.day is not None:
        yield _day(report.day)
        if report.day.balance:
            yield _balance(report.day)
    yield _costs(report)
    if report.targets:
        yield _cores(report)
    if report.probes is not None and report.targets:
        yield _probes(report)


def _day(day: DayRecord) -> Table:
    """What a frame costs in each condition."""
    cores = list(day.day.instructions)
    table = _table("Work per frame over a day", ("frames", "MACs", *cores), rows="condition")
    for row in day.rows:
        counts = [f"{row.instructions[core].mean:,.0f}" for core in cores]
        table.add_row(TITLES[row.condition], f"{row.share:.1%}", f"{row.macs.mean:,.0f}", *counts)
    return table


def _balance(day: DayRecord) -> Table:
    """What the gates cost and save on each core."""
    columns = ("network without gates", "deciding", "saved by skipping", "net saving", "probes, of a frame")
    table = _table("Gates over a day, instructions of a mean frame", columns, rows="core")
    for core, balance in day.balance.items():
        probes = "–" if balance.probe_share is None else f"{balance.probe_share:.2%}"
        counts = (f"{count:,.0f}" for count in (balance.ungated, balance.deciding, balance.saved))
        table.add_row(core, *counts, f"{balance.net_share:.1%}", probes)
    return table


def _costs(report: Report) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    frame, flash, ram = report.macs.per_frame, report.memory.flash, report.memory.ram
    saved = 1 - frame.mean / frame.all_active
    audio = report.audio
    table.add_row("audio", f"{audio.seconds:.1f} s")
    hop_ms = audio.latency_ms - audio.delay_ms
    table.add_row("latency", f"{audio.latency_ms:g} ms: delay {audio.delay_ms:g}, hop {hop_ms:g}")
    table.add_row(
        "MACs per frame",
        f"mean {frame.mean:,.0f}, p95 {frame.p95:,.0f}, max {frame.max:,}; {saved:.1%} fewer than all active "
        f"({frame.all_active:,})",
    )
    if frame.capped is not None:
        table.add_row("no frame above", f"{frame.capped:,} MACs: capped at {_cap(report)}")
    table.add_row("channels active", f"{report.utilization.mean:.1%}")
    if report.probes is not None:
        probes, flips, adds = report.probes, report.probes.flips_per_frame, report.probes.adds_per_frame
        table.add_row(
            "probes", f"{probes.outputs} outputs, {probes.features} features, tables of {probes.table_bytes:,} bytes"
        )
        spread = f"mean {flips.mean:.1f}, p95 {flips.p95:,.0f}, max {flips.max:,} per frame"
        table.add_row("bits flipped", f"{spread}; {probes.set_per_frame:,.0f} are set")
        table.add_row(
            "probe additions",
            f"mean {adds.mean:,.0f}, p95 {adds.p95:,.0f}, max {adds.max:,} per frame; at most {adds.bound:,}",
        )
    if report.targets:
        constants = f"weights {flash.weights:,}, tables {flash.tables:,}, probes {flash.probes:,}"
        table.add_row("flash", f"{constants}, code {flash.code:,} bytes: {flash.total:,}")
        table.add_row("RAM", f"state {ram.state:,}, scratch {ram.scratch:,} bytes")
    for target in report.targets:
        if target.cycles is not None:
            table.add_row("cycles, estimate", _cycles(target.name, target.cycles))
    if report.quality is not None and report.quality.int8 is not None:
        noisy, wanted, got = report.quality.noisy, report.quality.float_, report.quality.int8
        table.add_row("PESQ", f"noisy {noisy.pesq:.2f}, float {wanted.pesq:.2f}, int8 {got.pesq:.2f}")
        table.add_row("SI-SDR, dB", f"noisy {noisy.si_sdr:.1f}, float {wanted.si_sdr:.1f}, int8 {got.si_sdr:.1f}")
        if noisy.ovrl is not None:
            table.add_row("DNSMOS OVRL", f"noisy {noisy.ovrl:.2f}, float {wanted.ovrl:.2f}, int8 {got.ovrl:.2f}")
    table.add_row("bundle", report.bundle.hash)
    return table


def _cycles(core: str, cycles: CycleEstimate) -> str:
    energy = cycles.microjoules_per_frame
    drawn = "" if energy is None else f", {energy:,.1f} µJ at {cycles.microwatts_per_mhz:,.0f} µW/MHz"
    return (
        f"{core} {cycles.estimate:,.0f} per frame ({cycles.low:,.0f} to {cycles.high:,.0f}) at {cycles.wait_states} "
        f"wait states: {cycles.mhz:,.1f} MHz{drawn}"
    )


def _cap(report: Report) -> str:
    network = report.bundle.network
    caps = ((network.block_cap, "block"), (network.frame_cap, "frame"))
    return ", ".join(f"{cap:,} channels per {where}" for cap, where in caps if cap is not None)


def _table(title: str, figures: Sequence[str], rows: str = "core") -> Table:
    """One row a core, or what `rows` says, one column a figure."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(rows)
    for name in figures:
        table.add_column(name, justify="right")
    return table


def _cores(report: Report) -> Table:
    # Eighty columns hold it.
    figures = ("mismatches", "mean", "p95", "max", "flash", "RAM", "stack")
    table = _table("Instructions per frame, memory in bytes", figures)
    for target in report.targets:
        spread = target.instructions_per_frame
        table.add_row(
            Text(target.name),
            Text(f"{target.mismatches:,}", style="bold red" if target.mismatches else "green"),
            f"{spread.mean:,.0f}",
            f"{spread.p95:,.0f}",
            f"{spread.max:,}",
            f"{target.flash_bytes:,}",
            f"{target.ram_bytes:,}",
            f"{target.stack_bytes:,}",
        )
    return table


def _probes(report: Report) -> Table:
    title = "Instructions per frame of the probes, and their share of a mean frame"
    table = _table(title, ("mean", "share", "p95", "share", "max", "share"))
    for target in report.targets:
        cost = target.probe_instructions
        if cost is not None:
            pairs = ((cost.mean, cost.share.mean), (cost.p95, cost.share.p95), (cost.max, cost.share.max))
            cells = [cell for count, share in pairs for cell in (f"{count:,.0f}", f"{share:.3%}")]
            table.add_row(Text(target.name), *cells)
    return table
