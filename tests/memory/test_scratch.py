# SPDX-License-Identifier: Apache-2.0
"""Buffers of the scratch share bytes, and never at the wrong time: by the plan, and on a machine."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from libraries import difficult_audio, library, program

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.plan.layout import layout
from dyncp.codegen.plan.scratch import STAGES, Buffer, buffers, plan, scratch
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference

TYPES = ("int8_t", "uint16_t", "int32_t")
SPANS = st.lists(st.tuples(st.integers(0, len(STAGES) - 1), st.integers(0, 3)), min_size=1, max_size=3)
SITES = ("output", "hidden")


@st.composite
def random_buffers(draw: st.DrawFn) -> tuple[Buffer, ...]:
    listed = []
    for i in range(draw(st.integers(1, 12))):
        spans = tuple((STAGES[a], STAGES[min(a + length, len(STAGES) - 1)]) for a, length in draw(SPANS))
        count = draw(st.integers(1, 600))
        listed.append(Buffer(draw(st.sampled_from(TYPES)), f"b{i}", (count,), "", spans))
    return tuple(listed)


def check(placed: dict[Buffer, int]) -> None:
    """Every buffer stands at a multiple of its alignment, and no two of the same stage share a byte."""
    for buffer, start in placed.items():
        assert start % buffer.align == 0
        for other, its_start in placed.items():
            if other is not buffer and not buffer.live.isdisjoint(other.live):
                assert start + buffer.bytes <= its_start or its_start + other.bytes <= start, (buffer, other)


def least(listed: tuple[Buffer, ...]) -> int:
    """No plan takes fewer bytes than the buffers of the fullest stage."""
    return max(sum(buffer.bytes for buffer in listed if stage in buffer.live) for stage in STAGES)


@given(random_buffers())
def test_no_two_live_buffers_overlap(listed: tuple[Buffer, ...]) -> None:
    placed = plan(listed)
    assert list(placed) == list(listed)
    check(placed)


CONFIGS = st.builds(
    NetworkConfig,
    channels=st.integers(4, 300),
    hidden=st.integers(4, 600),
    gate=st.integers(1, 40),
    gate_site=st.sampled_from(SITES),
    pooling=st.sampled_from(("window", "ema")),
)


@given(CONFIGS)
def test_no_network_has_overlapping_buffers(config: NetworkConfig) -> None:
    placed = plan(buffers(config))
    check(placed)
    members = {member.name: member for member in scratch(config).members}
    for buffer, start in placed.items():
        view = members[buffer.name].type
        assert not isinstance(view, str)
        assert {member.name: offset for offset, member in view.placed()}["v"] == start
        assert view.bytes == scratch(config).bytes


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("shape", [(128, 256, 16), (128, 48, 8), (83, 166, 16)], ids=str)
def test_the_plan_is_as_small_as_any(shape: tuple[int, int, int], site: str) -> None:
    channels, hidden, gate = shape
    config = NetworkConfig(channels=channels, hidden=hidden, gate=gate, gate_site=site)
    assert scratch(config).bytes - least(buffers(config)) in range(4)


def test_ram_of_the_paper_network() -> None:
    """Within its aims with 1.5 KB to spare for stack and probes."""
    state = {pooling: layout(NetworkConfig(pooling=pooling), None).state.bytes for pooling in ("ema", "window")}
    assert state["ema"] < 24_000 - 1500
    assert state["window"] < 76_000 - 1500


def kind(stage: str) -> str:
    return re.sub(r"^block\d+_", "", stage)


def poison(bundle: Bundle, pattern: int, forgotten: str = "") -> str:
    """What is dead after each stage, as C. After the last one all is: the counters have been handed over.

    `forgotten` names a buffer that is taken for dead after every stage.
    """
    config = bundle.config
    total, placed = scratch(config).bytes, plan(buffers(config))
    kinds = [kind(stage.name) for stage in stages(config, bundle.probe_outputs)]
    dead = np.ones((len(kinds), total), np.uint8)
    for row, (stage, following) in zip(dead, pairwise(kinds), strict=False):
        for buffer, start in placed.items():
            if buffer.outlives(stage, following) and buffer.name != forgotten:
                row[start : start + buffer.bytes] = 0
    rows = ",\n".join("{" + ",".join(map(str, row)) + "}" for row in dead.tolist())
    assert dead[:-1].any(axis=1).all()
    return f"#define POISON {pattern}\nstatic const unsigned char dead[{len(kinds)}][{total}] = {{{rows}}};\n"


def differing(folder: Path, site: str, compiler: str, pattern: int, forgotten: str = "") -> set[str]:
    """Kinds of stages that show other words than the reference, where dead bytes are spoiled."""
    config = NetworkConfig(channels=12, hidden=20, gate=3, stacks=1, dilations=(1, 2), pooling_frames=5, gate_site=site)
    bundle, generated = library(folder, config)
    (folder / "poison.h").write_text(poison(bundle, pattern, forgotten))
    sources = [Path(__file__).parent / "poison.c", generated / "dyncp.c"]
    flags = ("-O3", "-DDYNCP_TRACE")
    binary = program(folder / "poison", sources, include=[generated, folder], compiler=compiler, flags=flags)
    pcm = difficult_audio()
    expected = reference.run(bundle, pcm, trace=True)
    told = subprocess.run([binary], input=pcm.tobytes(), capture_output=True, check=True).stdout
    listed = stages(config, bundle.probe_outputs)
    fields = [(stage.name, np.dtype(stage.dtype), (stage.count,)) for stage in listed]
    made = np.frombuffer(told, np.dtype([*fields, ("macs", "<u4"), ("active", "<u4")]))
    words = expected.trace | {"macs": expected.macs, "active": expected.active}
    return {kind(name) for name, values in words.items() if not np.array_equal(made[name], values)}


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [0x5A, 0xFF])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("site", SITES)
def test_spoiled_dead_bytes_change_nothing(tmp_path: Path, site: str, compiler: str, pattern: int) -> None:
    assert not differing(tmp_path, site, compiler, pattern)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("forgotten", "noticed"),
    [
        ("macs", "macs"),
        ("active", "active"),
        ("spectrum", "synthesis"),
        ("features", "front"),
        ("residual", "project"),
        ("input", "expand"),
        ("gate", "score"),
        ("score", "mask"),
        ("hidden", "depthwise"),
        ("logits", "suppression"),
    ],
)
def test_a_spoiled_live_byte_is_noticed(tmp_path: Path, forgotten: str, noticed: str) -> None:
    assert noticed in differing(tmp_path, "output", "gcc", 0x5A, forgotten)
