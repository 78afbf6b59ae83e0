# SPDX-License-Identifier: Apache-2.0
"""Memory under any state: whatever its bits are, calls return and touch nothing else (docs/assurance.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from libraries import library

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ToolchainError
from dyncp.firmware.host.build import Compiler
from dyncp.firmware.proof.corruption import Kernels, corrupt

pytestmark = pytest.mark.slow

TINY = NetworkConfig(channels=9, hidden=12, gate=3, stacks=1, dilations=(1, 3), pooling_frames=5)
NETWORKS = {
    "output-window": TINY,
    "hidden-ema": TINY.model_copy(update={"gate_site": "hidden", "pooling": "ema"}),
    "held": TINY.model_copy(update={"gate_site": "hidden", "gate_period": 2}),
    "held-output": TINY.model_copy(update={"gate_period": 3, "gate_shared": "stack", "pooling": "ema"}),
}


@pytest.mark.parametrize("kernels", ["PORTABLE", "DSP"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("network", NETWORKS)
def test_any_state_is_safe(tmp_path: Path, network: str, compiler: Compiler, kernels: Kernels) -> None:
    # The widths of probe weights have kernels of their own.
    bundle, folder = library(tmp_path, NETWORKS[network], seed=3, probes="int8" if compiler == "gcc" else "int16")
    result = corrupt(folder, compiler=compiler, kernels=kernels)
    header = (folder / "dyncp.h").read_text()
    assert bundle.probes is not None
    assert result.flipped == result.bits == 8 * state_bytes(header, folder)
    assert result.random_states == 200
    # Four words say whose the state is; some others are noticed by nobody, and most are heard.
    assert result.refused == 4 * 32
    assert 0 < result.changed < result.flipped - result.refused


def test_of_more_bits_than_asked_for_one_in_an_odd_number_is_flipped(tmp_path: Path) -> None:
    _, folder = library(tmp_path, TINY)
    result = corrupt(folder, frames=1, random_states=1, most_bits=500)
    apart = result.bits // 500 + 1
    apart += 1 - apart % 2
    assert result.flipped == -(-result.bits // apart)
    assert 300 < result.flipped <= 500
    assert 0 < result.refused < 4 * 32


def state_bytes(header: str, folder: Path) -> int:
    """DYNCP_STATE_BYTES of the emitted headers."""
    line = next(line for line in header.splitlines() if "DYNCP_STATE_BYTES (" in line)
    own = int(line.split("(")[1].split()[0])
    signals = (folder / "dyncp_signals.h").read_text()
    line = next(line for line in signals.splitlines() if "PROBE_STATE_BYTES" in line)
    return own + int(line.split()[2])


@pytest.mark.parametrize(
    ("reduced", "trusted"),
    [
        ("b->slot % 2", "b->slot"),
        ("b->ring_slot % 5", "b->ring_slot"),
    ],
)
def test_an_index_that_is_not_reduced_is_reported(tmp_path: Path, reduced: str, trusted: str) -> None:
    _, folder = library(tmp_path, TINY)
    source = folder / "dyncp.c"
    text = source.read_text()
    assert reduced in text
    source.write_text(text.replace(reduced, trusted))
    with pytest.raises(ToolchainError, match=r"AddressSanitizer|runtime error"):
        corrupt(folder, frames=1, random_states=0)


def test_a_sum_that_overflows_is_reported(tmp_path: Path) -> None:
    _, folder = library(tmp_path, TINY)
    header = folder / "dyncp_runtime.h"
    text = header.read_text()
    wraps = "return (int32_t)((uint32_t)a + (uint32_t)b);"
    assert wraps in text
    header.write_text(text.replace(wraps, "return a + b;"))
    with pytest.raises(ToolchainError, match="signed integer overflow"):
        corrupt(folder, frames=1, random_states=0)
