# SPDX-License-Identifier: Apache-2.0
"""One style for every figure: SVG in CSS pixels, once for wide screens and once for phones, as data URIs."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dyncp.base.errors import ReportError
from dyncp.base.figure_style import INK, STYLE
from dyncp.base.files import replace_file

BLUE = "#0b5c8f"
ORANGE = "#c4560a"
PALE = "#d5e4ef"
# Paul Tol's "muted" scheme: distinct under every common colour vision deficiency.
SERIES = (
    "#332288",
    "#88ccee",
    "#117733",
    "#44aa99",
    "#999933",
    "#ddcc77",
    "#cc6677",
    "#882255",
    "#aa4499",
    "#bbbbbb",
)

PICTURES = (".png", ".svg")
_DPI = 144  # of a PNG: two of its pixels for one of CSS

# The page's own font sets the text, not one of matplotlib's.
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_STYLE: dict[Any, Any] = {**STYLE, "axes.unicode_minus": True, "xtick.major.size": 3, "ytick.major.size": 3}


@dataclass(frozen=True)
class Layout:
    """Widths in CSS pixels. All figures over time share `left` and `right`, so that their time axes align."""

    name: str
    width: int
    left: int
    right: int
    text: float
    columns: int  # most columns of a raster

    @property
    def plot_width(self) -> int:
        return self.width - self.left - self.right


WIDE = Layout("wide", width=1080, left=64, right=152, text=12.5, columns=1300)
NARROW = Layout("narrow", width=360, left=40, right=74, text=10.5, columns=520)


@dataclass(frozen=True)
class Picture:
    """An SVG as a data URI, with its size in CSS pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Drawing:
    wide: Picture
    narrow: Picture


class Canvas:
    """A figure whose axes are placed in CSS pixels from the top left corner."""

    def __init__(self, layout: Layout, height: int) -> None:
        self.layout = layout
        self.height = height
        self.figure = Figure(figsize=(layout.width / 72, height / 72), dpi=72, facecolor="none")

    @property
    def margin(self) -> float:
        """Where notes at the right of the plot start."""
        return self.layout.width - self.layout.right + 14

    def axes(self, top: float, height: float, left: float | None = None, width: float | None = None) -> Axes:
        left = self.layout.left if left is None else left
        width = self.layout.plot_width if width is None else width
        total = self.layout.width
        bottom = 1 - (top + height) / self.height
        axes = self.figure.add_axes((left / total, bottom, width / total, height / self.height))
        axes.set_facecolor("none")
        return axes

    def text(self, x: float, y: float, text: str, *, color: str = INK, bold: bool = False) -> None:
        """Left-aligned text, its middle at `x`, `y` from the top left corner."""
        self.figure.text(
            x / self.layout.width,
            1 - y / self.height,
            text,
            color=color,
            weight="bold" if bold else "normal",
            va="center_baseline",
        )


def draw(paint: Callable[[Layout], Canvas]) -> Drawing:
    """Both sizes of the figure that `paint` makes."""
    return Drawing(_render(paint, WIDE), _render(paint, NARROW))


def check_picture(path: Path) -> None:
    """Raises ReportError for a suffix other than .png and .svg."""
    if path.suffix.lower() not in PICTURES:
        raise ReportError(f"{path}: a plot is written as PNG or SVG; give it the suffix {' or '.join(PICTURES)}")


def save(paint: Callable[[Layout], Canvas], path: Path) -> None:
    """The wide figure as a file of its own. Raises ReportError as `check_picture`, and where it cannot be written."""
    check_picture(path)
    suffix = path.suffix.lower()
    metadata = {"Date": None, "Creator": None} if suffix == ".svg" else {"Software": None}
    with matplotlib.rc_context({**_STYLE, "font.size": WIDE.text}):
        buffer = io.BytesIO()
        paint(WIDE).figure.savefig(buffer, format=suffix[1:], facecolor="white", dpi=_DPI, metadata=metadata)
    replace_file(path, buffer.getvalue(), ReportError)


def _render(paint: Callable[[Layout], Canvas], layout: Layout) -> Picture:
    with matplotlib.rc_context({**_STYLE, "font.size": layout.text}):
        canvas = paint(layout)
        buffer = io.StringIO()
        canvas.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # Let the browser smooth the rasters, whose cells are smaller than a pixel, instead of picking one.
    svg = buffer.getvalue().replace("image-rendering:crisp-edges;image-rendering:pixelated", "")
    svg = svg.replace("'DejaVu Sans'", _FONTS)
    return Picture("data:image/svg+xml," + quote(svg, safe="/+=:;!*()"), layout.width, canvas.height)


def spread(positions: list[float], distance: float) -> list[float]:
    """Moves labels apart, as little as keeps them `distance` from each other; same order as `positions`."""
    order = sorted(range(len(positions)), key=positions.__getitem__)
    moved = list(positions)
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + distance)
    return moved


def clip_text(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
