# SPDX-License-Identifier: Apache-2.0
"""Probe words updated by the bits that flipped equal words summed anew, whatever flips."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import Kernel
from numpy.typing import NDArray


def row_table(informative: NDArray[np.bool_], weight: NDArray[np.signedinteger]) -> NDArray[np.uint16]:
    """Where the rows of a padded table begin, of bits [words, 32], channel by channel; any other bit has the first."""
    features, units = int(informative.sum()), weight[0].nbytes // 8
    row = np.zeros(informative.shape, np.uint16)
    row[informative] = np.arange(features) * units
    return np.ascontiguousarray(row[:, ::-1])


def padded(weight: NDArray[np.signedinteger]) -> NDArray[np.signedinteger]:
    """With the row of zeros that ends the table, and columns of zeros."""
    return np.pad(weight, ((0, 1), (0, -weight.shape[1] % 8)))


def mask_bits(masks: NDArray[np.uint32]) -> NDArray[np.bool_]:
    return np.unpackbits(masks.view(np.uint8), bitorder="little").astype(bool)


Outputs = st.one_of(st.integers(1, 40), st.sampled_from([1, 7, 8, 9, 15, 16, 17, 21, 24, 25, 33]))


@pytest.mark.parametrize("width", ["int8", "int16"])
@given(seed=st.integers(0, 2**32 - 1), words=st.integers(1, 18), outputs=Outputs)
@settings(max_examples=60)
def test_incremental_equals_from_scratch(
    kernel: Kernel, width: Literal["int8", "int16"], seed: int, words: int, outputs: int
) -> None:
    random = np.random.default_rng(seed)
    informative = random.integers(0, 2**32, words).astype(np.uint32)
    informative[random.random(words) < 0.3] = random.choice([0, 0xFFFFFFFF, 0x80000001])
    bits = mask_bits(informative)
    largest = np.iinfo(width)
    weight = random.integers(largest.min, largest.max + 1, (bits.sum(), outputs)).astype(width)
    weight[random.random(len(weight)) < 0.2] = largest.min
    table = padded(weight)
    row = row_table(bits.reshape(words, 32), table)
    bias = random.integers(-1000, 1000, outputs).astype(np.int32)

    seen, total = np.zeros(words, np.uint32), bias.copy()
    masks = np.zeros(words, np.uint32)
    for share in [0.5, 0.004, 0.02, 0.0, 1.0, 1.0, 0.3]:
        flips = np.packbits(random.random(32 * words) < share, bitorder="little").view(np.uint32)
        masks ^= flips
        kernel("probe" + width[3:], row, informative, words, outputs, table, masks, seen, total)
        active = mask_bits(masks)[bits]
        np.testing.assert_array_equal(total, bias + weight.astype(np.int64).T @ active)
        np.testing.assert_array_equal(seen, masks)
