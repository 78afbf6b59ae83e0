# SPDX-License-Identifier: Apache-2.0
"""Constant arrays of the emitted C."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

WIDTH = 96


@dataclass(frozen=True)
class Table:
    """A constant array; `name` is what follows the prefix."""

    type: str
    name: str
    length: int
    text: str
    comment: str
    bytes: int
    values: NDArray[np.generic] = field(compare=False, repr=False)


def table(name: str, values: NDArray[np.generic], comment: str) -> Table:
    """As many numbers a line as the longest of them leave room for."""
    suffix = {"uint32": "u", "uint64": "ull"}.get(values.dtype.name, "")
    numbers = [f"{value}{suffix}" for value in values.ravel().tolist()]
    in_line = max(1, WIDTH // (max(map(len, numbers)) + len(", ")))
    text = ",\n".join(", ".join(numbers[at : at + in_line]) for at in range(0, len(numbers), in_line))
    return Table(f"{values.dtype.name}_t", name, values.size, text, comment, values.nbytes, values)
