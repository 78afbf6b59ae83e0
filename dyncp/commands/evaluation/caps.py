# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --caps`: quality against the cap on active channels, as table, JSON and figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dyncp.commands.evaluation.more import write_results
from dyncp.commands.shared.terminal import Terminal

if TYPE_CHECKING:
    from dyncp.base.config.network import NetworkConfig
    from dyncp.evaluation.plotting.sheet import Sheet
    from dyncp.evaluation.quality.cap_curve import CapCurve, CapRow
    from dyncp.export.formats.bundle import Bundle
    from dyncp.train.corpora.recordings import Corpus


def run_caps(console: Terminal, bundle: Bundle, corpus: Corpus, clips: int, caps: str, out: Path) -> CapCurve:
    """The corpus's test mixtures under every cap; writes out/caps.{md,json,png,svg}."""
    from dyncp.evaluation.quality.cap_curve import cap_curve, default_caps
    from dyncp.train.mixing.pairs import make_pairs

    channels = parse_caps(caps, bundle.config) if caps else default_caps(bundle.config)
    with console.status("enhancing and scoring under every cap"):
        pairs = make_pairs(corpus, "test", clips, framing=bundle.config.framing)
        curve = cap_curve(bundle, [(pair.clean, pair.noisy) for pair in pairs], channels)
    write_results(console, out, "caps", [cap_sheet(curve, bundle.config.sample_rate)], curve.model_dump())
    draw_caps(curve, out, bundle.config.sample_rate)
    return curve


def parse_caps(text: str, config: NetworkConfig) -> list[int]:
    """`64,32,16` → channels per block. Raises ConfigError."""
    from dyncp.base.errors import ConfigError

    parts = [part.strip() for part in text.split(",")]
    caps = [int(part) for part in parts if part.isascii() and part.isdigit()]
    if len(caps) != len(parts) or not all(1 <= cap <= config.gated for cap in caps):
        raise ConfigError(f"--cap {text}: must be channels per block from 1 to {config.gated}, as 64,32,16")
    return caps


def cap_sheet(curve: CapCurve, rate: int) -> Sheet:
    from dyncp.base.quality import pesq_label
    from dyncp.evaluation.plotting.sheet import Sheet, number

    title = f"Quality under a cap, int8, {curve.clips} clips, {curve.frames:,} frames"
    headers = (
        "at most",
        pesq_label(rate),
        "STOI",
        "SI-SDR, dB",
        "DNSMOS OVRL",
        "MACs per frame: mean",
        "max",
        "never more than",
    )
    noisy = curve.noisy
    rows = [("noisy", number(noisy.pesq), number(noisy.stoi), number(noisy.si_sdr, 2), number(noisy.ovrl), "", "", "")]
    for row in curve.rows:
        score = row.score
        scores = (number(score.pesq), number(score.stoi), number(score.si_sdr, 2), number(score.ovrl))
        macs = (f"{row.macs_mean:,.0f}", f"{row.macs_max:,}", f"{row.macs_bound:,}")
        rows.append((_named(row), *scores, *macs))
    return Sheet(title, headers, rows)


def _named(row: CapRow) -> str:
    return "no cap" if row.per is None else f"{row.channels:,} per {row.per}"


def draw_caps(curve: CapCurve, out: Path, rate: int) -> None:
    """PESQ and SI-SDR over the worst case in MACs per frame: one curve for each kind of cap."""
    from dyncp.base.figure_style import MUTED
    from dyncp.base.quality import pesq_label
    from dyncp.evaluation.plotting.plots import COLOURS, drawn

    free = curve.rows[0]
    with drawn(out, "caps", 7.0, 2.8) as figure:
        for axes, metric, label in zip(
            figure.subplots(1, 2), ("pesq", "si_sdr"), (pesq_label(rate), "SI-SDR, dB"), strict=True
        ):
            for per, colour in zip(("block", "frame"), COLOURS, strict=False):
                rows = [row for row in curve.rows if row.per in (None, per)]
                bounds = [row.macs_bound / 1000 for row in rows]
                axes.plot(bounds, [getattr(row.score, metric) for row in rows], "o-", color=colour, label=f"per {per}")
            axes.axhline(getattr(curve.noisy, metric), color=MUTED, linestyle=":", label="noisy")
            axes.axvline(free.macs_max / 1000, color=MUTED, linestyle="--", label="dearest frame, no cap")
            axes.set_xlabel("thousand MACs that no frame exceeds")
            axes.set_title(label)
            axes.grid(True)
        axes.legend(loc="lower right")
