# SPDX-License-Identifier: Apache-2.0
"""What all figures share, those of experiments and those of reports: inks, lines, text that stays text."""

from __future__ import annotations

from typing import Any

INK = "#1b2733"
MUTED = "#5b6875"
GRID = "#e3e8ed"

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dyncp",
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "image.interpolation": "none",
}
"""matplotlib's settings (rcParams)."""
