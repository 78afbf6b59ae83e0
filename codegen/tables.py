# SPDX-License-Identifier: Apache-2.0
"""Constant arrays of the emitted C."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

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


def table(name: str, values: NDArray[np.generic], comment: str) -> Table:
    suffix = {"uint32": "u", "uint64": "ull"}.get(values.dtype.name, "")
    text = ", ".join(f"{value}{suffix}" for value in values.ravel().tolist())
    return Table(f"{values.dtype.name}_t", name, values.size, textwrap.fill(text, WIDTH), comment, values.nbytes)
