# SPDX-License-Identifier: Apache-2.0
"""Arguments of a C function laid out in one piece of memory: guards around them, each wherever its type may lie."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GUARD = 64
"""Bytes between two arrays, and before the first."""

FILL = 0xA5


@dataclass(frozen=True)
class Arena:
    """`image` is the memory from `begin` to the end, where the last array ends; `addresses` are the arrays'."""

    begin: int
    image: NDArray[np.uint8]
    addresses: list[int]

    def place(self, index: int, array: NDArray[np.generic]) -> slice:
        start = self.addresses[index] - self.begin
        return slice(start, start + array.nbytes)

    def take(self, after: NDArray[np.uint8], arrays: Sequence[NDArray[np.generic]]) -> None:
        """Bring `arrays` up to date. Raises AssertionError if anything between them has changed."""
        between = np.ones(len(after), bool)
        for index, array in enumerate(arrays):
            place = self.place(index, array)
            between[place] = False
            if not np.array_equal(after[place], self.image[place]):
                array[...] = after[place].view(array.dtype).reshape(array.shape)
        touched = self.begin + np.flatnonzero(between & (after != FILL))
        ends = [address + array.nbytes for address, array in zip(self.addresses, arrays, strict=True)]
        assert len(touched) == 0, f"written at {touched.tolist()}, outside of arrays that end at {ends}"


def lay_out(arrays: Sequence[NDArray[np.generic]], end: int, weights: int = 8) -> Arena:
    """Weights (matrices of 8 and 16 bits) are aligned as DCP_ALIGNED or to `weights`, other arrays as their elements.

    The last array in memory ends at `end`, or as close as its alignment lets it. Which one that is, and how far apart
    the others lie, follows from the contents, so that a call can be repeated.
    """
    seed = zlib.crc32(b"".join(array.tobytes() for array in arrays))
    count = max(1, len(arrays))
    addresses, cursor = [0] * len(arrays), end
    for place in range(len(arrays)):
        index = (place + seed) % count
        array = arrays[index]
        is_weight = array.ndim == 2 and array.itemsize <= 2
        alignment = weights if is_weight else array.itemsize
        apart = 0 if place == 0 else (seed >> (3 * place)) % 8 * array.itemsize
        cursor = (cursor - apart - array.nbytes) // alignment * alignment
        addresses[index] = cursor
        cursor -= GUARD
    begin = cursor // 16 * 16
    arena = Arena(begin, np.full(end - begin, FILL, np.uint8), addresses)
    for index, array in enumerate(arrays):
        arena.image[arena.place(index, array)] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return arena
