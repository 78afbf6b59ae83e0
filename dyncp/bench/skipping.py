# SPDX-License-Identifier: Apache-2.0
"""Instructions against active channels on every core, for both gate sites: does a skipped channel save its cost?

Prints a table and writes build/bench/skipping.json. `--docs` renews the table and the figure of docs/skipping.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from dyncp.base.figure_style import MUTED
from dyncp.base.files import replace_file
from dyncp.bench.between import split
from dyncp.evaluation.plotting.plots import COLOURS, drawn
from dyncp.firmware.bench.skipping import SITES, Curve, Skipping, skipping

OUT = Path("build/bench")
PAGE = Path("docs/skipping.md")
IMAGES = Path("docs/images")
MARKERS = "<!-- make bench-docs -->\n", "<!-- end of the table -->"


def short(curve: Curve) -> str:
    return curve.core.removeprefix("cortex-").upper()


def table(measured: Skipping) -> str:
    """Markdown, one row a curve."""
    lines = [
        "| gates | core | a channel | of the dense kernels | slope / dense | off the line | no channel | wins below |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for curve in measured.curves:
        slope, _ = curve.line
        cells = [curve.site, short(curve), f"{slope:,.1f}", f"{curve.dense / curve.channels:,.1f}"]
        cells += [f"{curve.slope_against_dense:.3f}", f"{curve.deviation:.2%}", f"{curve.instructions[0]:,.0f}"]
        lines.append(f"| {' | '.join(cells)} | {curve.break_even:.1%} |")
    return "\n".join(lines) + "\n"


def draw(measured: Skipping) -> None:
    """docs/images/skipping.svg and .png: both sites side by side, a line a core."""
    with drawn(IMAGES, "skipping", 7.4, 3.0) as figure:
        for axes, site in zip(figure.subplots(1, len(SITES), sharey=True), SITES, strict=True):
            curves = [curve for curve in measured.curves if curve.site == site]
            for curve, colour in zip(curves, COLOURS, strict=False):
                active = [100 * count / curve.channels for count in curve.active]
                share = [100 * count / curve.dense for count in curve.instructions]
                axes.plot(active, share, marker="o", markersize=3, color=colour, label=short(curve))
            axes.axhline(100, color=MUTED, linewidth=0.8, linestyle="--")
            axes.set(title=f"gates on {site}", xlabel="active channels, %", xlim=(0, 100))
            axes.grid(True)
        figure.axes[0].set_ylim(0, None)
        figure.axes[0].set_ylabel("instructions, % of the dense kernels'")
        figure.axes[-1].legend()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help="renew the table and the figure of docs/skipping.md")
    arguments = parser.parse_args()
    measured = skipping(OUT / "skipping")
    replace_file(OUT / "skipping.json", (measured.model_dump_json(indent=2) + "\n").encode())
    Console().print(Markdown(table(measured)))
    if arguments.docs:
        before, _, after = split(PAGE.read_text(encoding="utf-8"), MARKERS)
        replace_file(PAGE, (before + table(measured) + after).encode())
        draw(measured)


if __name__ == "__main__":
    main()
