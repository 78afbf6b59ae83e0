# SPDX-License-Identifier: Apache-2.0
"""Dense, depthwise, pooling and gate kernels on random and extreme integers of any shape, against NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import Kernel
from numpy.typing import NDArray

from dyncp.codegen.plan.weights import neighbour_products
from dyncp.export.transforms.frontend import rmul

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    random: np.random.Generator

    @property
    def arguments(self) -> tuple[NDArray[np.generic] | int, ...]:
        return (padded(self.weight), self.bias, self.multiplier, *self.weight.shape)

    def dense(self, kernel: Kernel, bias: bool = True) -> tuple[NDArray[np.generic] | int, ...]:
        """The arguments of a layer on int8, with or without a bias."""
        start = self.bias.astype(np.int64) * bias
        if kernel("multiplies_in_pairs"):
            start -= neighbour_products(self.weight)
        return (padded(self.weight), start.astype(np.int32), self.multiplier, *self.weight.shape)

    def columns(self, kernel: Kernel) -> tuple[NDArray[np.generic] | int, ...]:
        """The arguments of project_columns."""
        weight = self.weight if kernel("gathers_columns") else self.weight.T
        return (padded(weight), self.bias, self.multiplier, *self.weight.shape)

    def signal(self, count: int, dtype: type[np.signedinteger], low: int | None = None) -> NDArray[np.generic]:
        """Random values; one in three is an extreme of the type, or `low` for its smallest."""
        info = np.iinfo(dtype)
        smallest = info.min if low is None else low
        values = self.random.integers(smallest, info.max + 1, count)
        extremes = self.random.choice([smallest, info.max], count)
        return np.where(self.random.random(count) < 1 / 3, extremes, values).astype(dtype)

    def bits(self, count: int) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """Masks, some of whose words have no bit, or all: kernels go from word to word."""
        active = (
            self.random.random(count)
            < self.random.choice([0.0, 0.02, 0.2, 0.5, 1.0], -(-count // 32)).repeat(32)[:count]
        )
        padded = np.zeros(-(-count // 32) * 32, bool)
        padded[:count] = active
        return np.packbits(padded, bitorder="little").view("<u4"), active

    def apply(self, x: NDArray[np.generic], bias: bool = True) -> Ints:
        accumulator = self.weight.astype(np.int64) @ x.astype(np.int64) + (self.bias if bias else 0)
        return rmul(accumulator, self.multiplier.astype(np.int64))


def padded(weight: NDArray[np.int8]) -> NDArray[np.int8]:
    """As firmware/runtime/dyncp_layers.h says."""
    return np.pad(np.ascontiguousarray(weight), ((0, 0), (0, -weight.shape[1] % 4)))


SIZE = st.one_of(st.integers(1, 70), st.integers(1, 70), st.integers(71, 300))


@st.composite
def layers(draw: st.DrawFn, columns: int | None = None) -> Layer:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(SIZE), columns or draw(SIZE)
    weight = random.integers(-128, 128, shape).astype(np.int8)
    if draw(st.booleans()):
        weight = random.choice([-128, 127], shape).astype(np.int8)
    bias = random.integers(-(2**20), 2**20, shape[0]).astype(np.int32)
    multiplier = (2 ** random.uniform(0, 30, shape[0])).astype(np.int32)
    return Layer(weight, bias, multiplier, random)


@given(layer=layers())
def test_dense_layers(kernel: Kernel, layer: Layer) -> None:
    rows, columns = layer.weight.shape
    x = layer.signal(columns, np.int8)
    expected = layer.apply(x)
    for name, dtype, low in [("front", np.int16, 0), ("back", np.int16, -32768), ("expand", np.int8, 0)]:
        y = np.zeros(rows, dtype)
        assert kernel(name, *layer.dense(kernel), x, y) == rows * columns
        np.testing.assert_array_equal(y, np.clip(expected, low, np.iinfo(dtype).max), err_msg=name)


@pytest.mark.parametrize("first", [1, 37])
def test_every_number_of_columns(kernel: Kernel, first: int) -> None:
    """The loop over columns is unrolled and entered in its middle (dyncp_dsp_pairs.h)."""
    random = np.random.default_rng(first)
    for columns in range(first, first + 36):
        weight = random.integers(-128, 128, (3, columns)).astype(np.int8)
        layer = Layer(weight, np.array([5, -7, 1000], np.int32), np.full(3, 2**22, np.int32), random)
        x, wide = layer.signal(columns, np.int8), layer.signal(columns, np.int16)
        y, gate, residual = np.zeros(3, np.int16), np.zeros(3, np.int16), np.zeros(3, np.int16)
        kernel("back", *layer.dense(kernel), x, y)
        np.testing.assert_array_equal(y, np.clip(layer.apply(x), -32768, 32767), err_msg=f"{columns}")
        kernel("gate", *layer.arguments, wide, gate)
        np.testing.assert_array_equal(gate, np.clip(layer.apply(wide), 0, 32767), err_msg=f"{columns}")
        kernel("project_rows", *layer.dense(kernel, bias=False), np.array([6], np.uint32), x, residual)
        expected = np.clip(layer.apply(x, bias=False), -32768, 32767) * [0, 1, 1]
        np.testing.assert_array_equal(residual, expected, err_msg=f"{columns}")


@given(layer=st.one_of(layers(), *map(layers, (8, 9, 11, 12, 16))))
def test_gate_and_score(kernel: Kernel, layer: Layer) -> None:
    rows, columns = layer.weight.shape
    x = layer.signal(columns, np.int16)
    y, score = np.zeros(rows, np.int16), np.zeros(rows, np.int32)
    assert kernel("gate", *layer.arguments, x, y) == rows * columns
    np.testing.assert_array_equal(y, np.clip(layer.apply(x), 0, 32767))
    assert kernel("score", *layer.arguments, x, score) == rows * columns
    np.testing.assert_array_equal(score, layer.weight.astype(np.int64) @ x.astype(np.int64) + layer.bias)


@given(scores=st.lists(st.sampled_from([-(2**31), -1, 0, 1, 2**31 - 1]), min_size=1, max_size=100))
def test_mask_is_the_sign_with_padding_zero(kernel: Kernel, scores: list[int]) -> None:
    words = np.full(-(-len(scores) // 32), 0xFFFFFFFF, np.uint32)
    active = kernel("mask", np.array(scores, np.int32), words, len(scores), len(scores), len(scores))
    expected = sum(1 << channel for channel, score in enumerate(scores) if score > 0)
    assert sum(int(word) << (32 * i) for i, word in enumerate(words)) == expected
    assert active == expected.bit_count()


@given(layer=layers(), multiplier=st.integers(0, 2**30 - 1))
def test_narrow(kernel: Kernel, layer: Layer, multiplier: int) -> None:
    x = layer.signal(50, np.int16)
    y = np.zeros(50, np.int8)
    kernel("narrow", multiplier, x, y, 50)
    np.testing.assert_array_equal(y, np.clip(rmul(x.astype(np.int64), multiplier), -128, 127))


@given(layer=layers(), frames=st.sampled_from([1, 2, 43, 256]))
@settings(max_examples=20)
def test_pooling_window_is_the_sum_over_the_last_frames(kernel: Kernel, layer: Layer, frames: int) -> None:
    inputs = np.stack([layer.signal(9, np.int8) for _ in range(frames + 10)])
    inputs[: frames + 2] = -128
    total, ring = np.zeros(9, np.int16), np.zeros((frames, 9), np.int8)
    for i, x in enumerate(inputs):
        kernel("pool_window", x, total, ring[i % frames], 9)
        expected = inputs[max(0, i + 1 - frames) : i + 1].astype(np.int64).sum(axis=0)
        np.testing.assert_array_equal(total, expected)


@given(layer=layers(), coefficient=st.sampled_from([1, 2**31 // 128, 2**30 - 1]))
@settings(max_examples=20)
def test_pooling_ema(kernel: Kernel, layer: Layer, coefficient: int) -> None:
    mean, expected = np.zeros(9, np.int16), np.zeros(9, np.int64)
    for _ in range(20):
        x = layer.signal(9, np.int8)
        kernel("pool_ema", coefficient, x, mean, 9)
        expected = expected + rmul(256 * x.astype(np.int64) - expected, coefficient)
        np.testing.assert_array_equal(mean, expected)


@given(layer=layers(), count=st.sampled_from([1, 3, 8, 13]))
@settings(max_examples=20)
def test_averages_each_with_a_coefficient_of_its_own(kernel: Kernel, layer: Layer, count: int) -> None:
    coefficient = np.resize(np.array([2**30 - 1, 1, 2**31 // 49, 0, 2**31 // 9], np.int32), count)
    mean, expected = np.zeros(count, np.int16), np.zeros(count, np.int64)
    for frame in range(20):
        x = layer.signal(count, np.int16, low=0) if frame % 5 else np.full(count, 32767 * (frame % 2), np.int16)
        kernel("pool_each", coefficient, x, mean, count)
        expected = expected + rmul(x - expected, coefficient.astype(np.int64))
        np.testing.assert_array_equal(mean, expected)


@given(layer=layers(columns=3))
def test_depthwise(kernel: Kernel, layer: Layer) -> None:
    rows = len(layer.weight)
    taps = np.stack([layer.signal(rows, np.int8, low=0) for _ in range(3)])
    full = rmul((layer.weight.T.astype(np.int64) * taps).sum(axis=0) + layer.bias, layer.multiplier.astype(np.int64))
    expected = np.clip(full, 0, 127)

    arguments = (padded(layer.weight.T), layer.bias, layer.multiplier, rows, 3)
    oldest, middle, h = taps.copy()
    assert kernel("depthwise", *arguments, h, oldest, middle) == 3 * rows
    np.testing.assert_array_equal(h, expected)
    np.testing.assert_array_equal(oldest, taps[2])
    np.testing.assert_array_equal(middle, taps[1])

    bits, active = layer.bits(rows)
    oldest, middle, h = taps.copy()
    h[~active] = 0
    assert kernel("depthwise_gated", *arguments, bits, h, oldest, middle) == 3 * active.sum()
    np.testing.assert_array_equal(h, expected * active)
    np.testing.assert_array_equal(oldest, taps[2] * active)


@given(layer=layers())
def test_expand_gated(kernel: Kernel, layer: Layer) -> None:
    rows, columns = layer.weight.shape
    bits, active = layer.bits(rows)
    x, y = layer.signal(columns, np.int8), np.full(rows, 99, np.int8)
    assert kernel("expand_gated", *layer.dense(kernel), bits, x, y) == columns * active.sum()
    np.testing.assert_array_equal(y, np.clip(layer.apply(x), 0, 127) * active)


@given(layer=layers())
def test_project_rows(kernel: Kernel, layer: Layer) -> None:
    rows, columns = layer.weight.shape
    bits, active = layer.bits(rows)
    h, residual = layer.signal(columns, np.int8, low=0), layer.signal(rows, np.int16)
    update = layer.apply(h, bias=False) * active
    expected = np.clip(residual.astype(np.int64) + update, -32768, 32767)
    assert kernel("project_rows", *layer.dense(kernel, bias=False), bits, h, residual) == columns * active.sum()
    np.testing.assert_array_equal(residual, expected)


@given(layer=layers())
def test_project_columns(kernel: Kernel, layer: Layer) -> None:
    rows, columns = layer.weight.shape
    bits, active = layer.bits(columns)
    h, residual = layer.signal(columns, np.int8, low=0), layer.signal(rows, np.int16)
    update = layer.apply(h * active, bias=False)
    expected = np.clip(residual.astype(np.int64) + update, -32768, 32767)
    total = np.full(rows, 12345, np.int32)
    assert kernel("project_columns", *layer.columns(kernel), bits, h, total, residual) == rows * active.sum()
    np.testing.assert_array_equal(residual, expected)
