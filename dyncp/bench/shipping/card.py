# SPDX-License-Identifier: Apache-2.0
"""Speech quality as a model card tells it: the table with the columns `noisy` and `int8`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dyncp.base.errors import CheckpointError
from dyncp.base.files.reading import read_limited
from dyncp.export.formats.shipped import Gain

REQUIRED = ("PESQ-WB", "ESTOI", "SI-SDR, dB")
LARGEST = 1 << 20


def read_quality(card: Path, name: str) -> dict[str, Gain]:
    """Metric → gain, from the card of the network `name`: one row a metric.

    The integer network's column is `int8`, or `NAME, int8` with the name in backquotes. Raises CheckpointError for a
    card that has no such table, or not the metrics that every card must have.
    """
    text = read_limited(card, LARGEST, CheckpointError).decode("utf-8")
    for header, rows in _tables(text):
        if "noisy" not in header:
            continue
        before, after = header.index("noisy"), _position(header, name)
        if after is None:
            continue
        gains = {row[0]: Gain(noisy=_number(row[before]), enhanced=_number(row[after])) for row in rows}
        for metric in REQUIRED:
            if metric not in gains:
                raise CheckpointError(f"{card}: the table with the columns noisy and int8 has no row {metric}")
        return gains
    raise CheckpointError(f"{card}: has no table with the columns noisy and int8")


def _position(header: list[str], name: str) -> int | None:
    return next((header.index(label) for label in ("int8", f"`{name}`, int8") if label in header), None)


def _tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Header and rows of each table, as cells."""
    table: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif table:
            # The second line is the rule below the header.
            yield table[0], table[2:]
            table = []


def _number(cell: str) -> float:
    return float(cell.replace("−", "-"))
