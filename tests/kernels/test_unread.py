# SPDX-License-Identifier: Apache-2.0
"""Skipping is real: the weights of a pruned filter are not read, at any optimization."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from callable_c import DENIED, EmulatedFunctions
from hypothesis import given
from hypothesis import strategies as st
from libraries import RUNTIME, program
from test_layers import Layer

from dyncp.base.errors import ToolchainError


@pytest.mark.parametrize("kernels", ["-DDYNCP_PORTABLE", "-DDYNCP_DSP"])
@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_pruned_filter_is_not_read(tmp_path: Path, compiler: str, optimize: str, kernels: str) -> None:
    source = Path(__file__).parent / "unread.c"
    flags = (optimize, kernels, "-D_GNU_SOURCE")
    built = program(tmp_path / "unread", [source], include=RUNTIME, compiler=compiler, flags=flags)
    done = subprocess.run([built], capture_output=True, text=True, check=True)
    active = (0x00FF0FF5).bit_count() + (0x21).bit_count()
    assert done.stdout.split() == [str(3 * 4096 * active), "0"]
    assert subprocess.run([built, "broken"], check=False).returncode == -signal.SIGSEGV


EMULATED = ["cortex-m3 -O3", "cortex-m4 -O3", "cortex-m55 -O3"]


def pruned_layer(seed: int, rows: int, columns: int) -> Layer:
    random = np.random.default_rng(seed)
    weight = random.integers(-128, 128, (rows, columns)).astype(np.int8)
    return Layer(weight, np.zeros(rows, np.int32), np.full(rows, 2**20, np.int32), random)


@pytest.mark.parametrize("kernel", EMULATED, indirect=True, scope="session")
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 70), columns=st.sampled_from([32, 64, 256]))
def test_on_the_cores_neither(kernel: EmulatedFunctions, seed: int, rows: int, columns: int) -> None:
    layer = pruned_layer(seed, rows, columns)
    bits, active = layer.bits(rows)
    pruned = layer.random.permutation(np.flatnonzero(~active))[:DENIED].tolist()
    x = layer.signal(columns, np.int8)
    reads_transposed = not kernel("gathers_columns")
    with kernel.denied(pruned, columns):
        assert kernel("expand_gated", *layer.arguments, bits, x, np.zeros(rows, np.int8)) == columns * active.sum()
        assert kernel("project_rows", *layer.arguments, bits, x, np.zeros(rows, np.int16)) == columns * active.sum()
        if reads_transposed:
            transposed = (layer.weight, layer.bias, np.resize(layer.multiplier, columns), columns, rows)
            h, total, residual = layer.signal(rows, np.int8), np.zeros(columns, np.int32), np.zeros(columns, np.int16)
            assert kernel("project_columns", *transposed, bits, h, total, residual) == columns * active.sum()


@pytest.mark.parametrize("kernel", ["cortex-m55 -O3"], indirect=True, scope="session")
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 70), words=st.sampled_from([1, 2, 4, 8, 16]))
def test_columns_in_rows_neither(kernel: EmulatedFunctions, seed: int, rows: int, words: int) -> None:
    """32 columns, the least that can be denied, are pruned or not as one; of the others, some are."""
    layer = pruned_layer(seed, rows, 32 * words)
    pruned = np.repeat(layer.random.random(words) < 0.5, 32)
    active = ~pruned & (layer.random.random(32 * words) < layer.random.choice([0.1, 0.9]))
    bits = np.packbits(active, bitorder="little").view("<u4")
    denied = layer.random.permutation(np.flatnonzero(np.tile(pruned[::32], rows)))[:DENIED].tolist()
    arguments = layer.columns(kernel)
    h, total, residual = layer.signal(32 * words, np.int8), np.zeros(rows, np.int32), np.zeros(rows, np.int16)
    with kernel.denied(denied, 32):
        assert kernel("project_columns", *arguments, bits, h, total, residual) == rows * active.sum()


@pytest.mark.parametrize("kernel", EMULATED, indirect=True, scope="session")
@pytest.mark.parametrize("name", ["expand_gated", "project_rows"])
def test_the_trap_on_the_cores_works(kernel: EmulatedFunctions, name: str) -> None:
    layer = pruned_layer(0, 20, 64)
    bits, x = np.array([1 << 7], np.uint32), np.zeros(64, np.int8)
    y = np.zeros(20, np.int8 if name == "expand_gated" else np.int16)
    with kernel.denied([6], 64):
        assert kernel(name, *layer.arguments, bits, x, y) == 64
    with pytest.raises(ToolchainError, match="CFSR 0x00000082"), kernel.denied([7], 64):  # MMARVALID, DACCVIOL
        kernel(name, *layer.arguments, bits, x, y)


@pytest.mark.parametrize("kernel", ["cortex-m55 -O3"], indirect=True, scope="session")
def test_the_trap_for_columns_in_rows_works(kernel: EmulatedFunctions) -> None:
    layer = pruned_layer(0, 20, 64)
    arguments = (*layer.columns(kernel), np.array([0, 1 << 7], np.uint32), np.ones(64, np.int8))
    results = np.zeros(20, np.int32), np.zeros(20, np.int16)
    with kernel.denied(list(range(0, 2 * DENIED, 2)), 32):
        assert kernel("project_columns", *arguments, *results) == 20
    with pytest.raises(ToolchainError, match="CFSR 0x00000082"), kernel.denied([1], 32):  # MMARVALID, DACCVIOL
        kernel("project_columns", *arguments, *results)


@pytest.mark.parametrize("kernel", EMULATED, indirect=True, scope="session")
def test_nor_a_column_whose_value_is_0(kernel: EmulatedFunctions) -> None:
    gathers = bool(kernel("gathers_columns"))
    layer = pruned_layer(0, 32, 64) if gathers else pruned_layer(0, 64, 32)
    every, ones = np.full(2, 2**32 - 1, np.uint32), np.ones(64, np.int8)
    # On the core that gathers, blocks of 32 columns are denied; on the others single ones, which are rows in memory.
    zeros = range(32, 64) if gathers else range(5, 8)
    blocks = [1] if gathers else list(zeros)
    h = ones.copy()
    h[list(zeros)] = 0
    rows = 32
    arguments = layer.arguments if gathers else (layer.weight, layer.bias, layer.multiplier[:32], 32, 64)
    results = np.zeros(rows, np.int32), np.zeros(rows, np.int16)
    with kernel.denied(blocks, 32):
        assert kernel("project_columns", *arguments, every, h, *results) == rows * 64
    with pytest.raises(ToolchainError, match="CFSR 0x00000082"), kernel.denied(blocks, 32):
        kernel("project_columns", *arguments, every, ones, *results)
