# SPDX-License-Identifier: Apache-2.0
"""The day's results as tables."""

from __future__ import annotations

from dyncp.base.quality import Score, pesq_label
from dyncp.evaluation.plotting.sheet import Sheet, number
from dyncp.firmware.cost.cycles import CORE
from dyncp.firmware.report.contents.day import TITLES, ConditionRow, DayRecord, SpurtQuality

METRICS = (("pesq", 2), ("stoi", 3), ("estoi", 3), ("si_sdr", 1), ("sig", 2), ("bak", 2), ("ovrl", 2))
LABELS = ("STOI", "ESTOI", "SI-SDR, dB", "DNSMOS SIG", "BAK", "OVRL")


def day_sheets(record: DayRecord, rate: int) -> list[Sheet]:
    """Cost by condition, instructions on each core that was emulated, quality of the spurts. `rate`: the network's."""
    cores = [_instructions(record, core) for core in record.day.instructions]
    balance = [_balance(record)] if record.balance else []
    return [_cost(record), *cores, *balance, _quality(record.quality, rate)]


def _cost(record: DayRecord) -> Sheet:
    headers = ("", "frames", "MACs: mean", "p5", "p95", "active channels", "noise left, dB")
    rows = [
        (
            TITLES[row.condition],
            f"{row.share:.1%}",
            *(f"{value:,.0f}" for value in (row.macs.mean, row.macs.p5, row.macs.p95)),
            _active(row, record.channels),
            number(row.noise_left_db, 1),
        )
        for row in record.rows
    ]
    title = f"Multiply–accumulates per frame, {record.minutes:g} minutes; {record.macs_all_active:,} with all active"
    return Sheet(title, headers, rows)


def _active(row: ConditionRow, channels: int) -> str:
    return f"{row.active:,.1f} ({row.active / channels:.1%})" if channels else "all"


def _instructions(record: DayRecord, core: str) -> Sheet:
    """With the estimate of cycles, and of energy where it was asked for, on the core that has one."""
    estimated = core == CORE and record.cycles is not None
    energy = estimated and record.day.microjoules is not None
    headers = ("", "mean", "p95", "max", *["cycles, estimate"] * estimated, *["µJ, estimate"] * energy)
    rows = []
    for row in record.rows:
        spread = row.instructions[core]
        cells = [f"{value:,.0f}" for value in (spread.mean, spread.p95, spread.max)]
        cells += [number(row.cycles, 0)] * estimated + [number(row.microjoules, 1)] * energy
        rows.append((TITLES[row.condition], *cells))
    return Sheet(f"Instructions per frame on {core}", headers, rows)


def _balance(record: DayRecord) -> Sheet:
    headers = ("", "network without gates", "deciding", "saved by skipping", "net saving", "probes, of a frame")
    rows = []
    for core, balance in record.balance.items():
        counts = (balance.ungated, balance.deciding, balance.saved)
        probes = "–" if balance.probe_share is None else f"{balance.probe_share:.2%}"
        rows.append((core, *(f"{value:,.0f}" for value in counts), f"{balance.net_share:.1%}", probes))
    return Sheet("What the gates cost and save, instructions of a mean frame", headers, rows)


def _quality(quality: SpurtQuality, rate: int) -> Sheet:
    rows = [("noisy", *_cells(quality.noisy)), ("int8", *_cells(quality.int8)), ("gain", *_cells(quality.gain, "+"))]
    for part in quality.by_snr:
        where = f"{part.low_db:g} to {part.high_db:g} dB ({part.stretches})"
        rows += [(f"noisy, {where}", *_cells(part.noisy)), (f"int8, {where}", *_cells(part.int8))]
    left_out = f", {quality.left_out} left out" if quality.left_out else ""
    title = f"Quality of the talk spurts, {quality.seconds:,.0f} s in {quality.stretches} conversations{left_out}"
    return Sheet(title, ("", pesq_label(rate), *LABELS), rows)


def _cells(score: Score, sign: str = "") -> list[str]:
    values = [(getattr(score, name), digits) for name, digits in METRICS]
    return ["–" if value is None else f"{value:{sign}.{digits}f}" for value, digits in values]
