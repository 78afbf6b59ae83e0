# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolutions of 2, 4 and 5 taps on random and extreme integers of any shape, against NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from callable_c import EmulatedFunctions, Functions, HostFunctions
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import RUNTIME, Kernel, program

from dyncp.export.transforms.frontend import rmul
from dyncp.firmware.building.boards import select

SHIM = Path(__file__).parent / "taps.c"
SERVE = Path(__file__).parents[1] / "kernels" / "serve.c"
HOST = ("gcc", "clang -DDYNCP_DSP")
CORES = ("cortex-m4 -O3", "cortex-m55 -O3", "cortex-m55 -O0", "cortex-m55-clang -Os")
PLACES = [*HOST, *(pytest.param(core, marks=pytest.mark.slow) for core in CORES)]


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=[2, 4, 5])
def taps(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def kernel(place: str, taps: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    where, *options = *place.split(), f"-DDCP_TAPS={taps}"
    work = tmp_path_factory.mktemp("taps")
    if place in HOST:
        flags = ("-O2", "-shared", "-fPIC", *options)
        yield HostFunctions(program(work / "shim.so", [SHIM], include=RUNTIME, compiler=where, flags=flags))
    else:
        (board,) = select([where])
        emulated = EmulatedFunctions(SHIM, SERVE, board, options, work)
        yield emulated
        emulated.close()


@given(rows=st.one_of(st.integers(1, 70), st.integers(71, 300)), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_convolve(kernel: Kernel, taps: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    extreme = random.random() < 0.5
    weight = (random.choice([-128, 127], (taps, rows)) if extreme else random.integers(-128, 128, (taps, rows))).astype(
        np.int8
    )
    bias = random.integers(-(2**20), 2**20, rows).astype(np.int32)
    multiplier = (2 ** random.uniform(0, 30, rows)).astype(np.int32)
    inputs = np.where(random.random((taps, rows)) < 1 / 3, 127, random.integers(0, 128, (taps, rows))).astype(np.int8)
    sums = (weight.astype(np.int64) * inputs).sum(axis=0) + bias
    expected = np.clip(rmul(sums, multiplier.astype(np.int64)), 0, 127)
    # Rows of weights start at words, as firmware/runtime/dyncp_layers.h says.
    layer = (np.pad(weight, ((0, 0), (0, -rows % 4))), bias, multiplier, rows)

    past, h = inputs[:-1].copy(), inputs[-1].copy()
    assert kernel("convolve", *layer, h, past) == taps * rows
    np.testing.assert_array_equal(h, expected)
    np.testing.assert_array_equal(past, [inputs[-1], *inputs[1:-1]])

    active = random.random(rows) < random.choice([0.0, 0.02, 0.5, 1.0], -(-rows // 32)).repeat(32)[:rows]
    bits = np.packbits(np.pad(active, (0, -rows % 32)), bitorder="little").view("<u4")
    past, h = inputs[:-1].copy(), inputs[-1] * active
    assert kernel("convolve_gated", *layer, bits, h, past) == taps * active.sum()
    np.testing.assert_array_equal(h, expected * active)
    np.testing.assert_array_equal(past, [inputs[-1] * active, *inputs[1:-1]])
