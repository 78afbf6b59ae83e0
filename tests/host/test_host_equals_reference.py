# SPDX-License-Identifier: Apache-2.0
"""The generated C, compiled for the host, against the NumPy reference: every stage, mask, word and count."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from bundles import ProbeWidth
from libraries import assert_same, difficult_audio, library
from networks import BANDS

from dyncp.base.config.network import NetworkConfig
from dyncp.export.integers import reference
from dyncp.firmware.host.build import Compiler
from dyncp.firmware.host.library import HostLibrary

Site = Literal["output", "hidden"]
Pooling = Literal["window", "ema", "gate"]

SHAPES = {
    "tiny": NetworkConfig(channels=5, hidden=7, gate=3, stacks=1, dilations=(1,), pooling_frames=4),
    "uneven": NetworkConfig(channels=12, hidden=50, gate=3, stacks=1, dilations=(1, 2, 4), pooling_frames=43),
    "past_a_word": NetworkConfig(channels=33, hidden=40, gate=5, stacks=2, dilations=(1, 3), pooling_frames=7),
    "long_memory": NetworkConfig(channels=40, hidden=33, gate=1, stacks=1, dilations=(17,), pooling_frames=100),
    "bands": NetworkConfig(channels=9, hidden=35, gate=3, stacks=2, dilations=(1, 2), pooling_frames=5, bands=BANDS),
    "holding": NetworkConfig(
        channels=20, hidden=33, gate=4, stacks=2, dilations=(1, 4), pooling_frames=4, gate_period=3, bands=BANDS
    ),
    "sharing": NetworkConfig(
        channels=12, hidden=40, gate=4, stacks=2, dilations=(1, 2), pooling_frames=4, gate_shared="stack"
    ),
    "one_gate": NetworkConfig(
        channels=12,
        hidden=70,
        gate=4,
        stacks=1,
        dilations=(1, 2, 3),
        pooling_frames=4,
        gate_period=4,
        gate_shared="network",
        block_cap=20,
    ),
    "whole_words": NetworkConfig(channels=32, hidden=64, gate=8, stacks=1, dilations=(2,), pooling_frames=16),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("pooling", ["window", "ema", "gate"])
@pytest.mark.parametrize("site", ["output", "hidden"])
def test_every_stage_of_every_shape(tmp_path: Path, site: Site, pooling: Pooling, shape: str) -> None:
    config = SHAPES[shape].model_copy(update={"gate_site": site, "pooling": pooling})
    if pooling == "gate":
        config = config.model_copy(update={"pooling_frames": (config.pooling_frames, 3, 40)[: config.gate]})
    bundle, folder = library(tmp_path, config, seed=len(shape))
    host = HostLibrary(folder, trace=True, flags=("-O1",), build_dir=tmp_path)
    audio = difficult_audio()
    expected = reference.run(bundle, audio, trace=True)
    assert 0 < expected.active.mean() < config.blocks * config.gated, "gates that never move prove little"
    assert_same(expected, host.run(audio, trace=True))


@pytest.mark.slow
@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("site", ["output", "hidden"])
def test_every_compiler_and_optimization(tmp_path: Path, site: Site, compiler: Compiler, optimize: str) -> None:
    config = SHAPES["past_a_word"].model_copy(update={"gate_site": site})
    bundle, folder = library(tmp_path, config, seed=1)
    host = HostLibrary(folder, compiler=compiler, flags=(optimize,), build_dir=tmp_path)
    audio = difficult_audio(1)
    assert_same(reference.run(bundle, audio), host.run(audio))


@pytest.mark.parametrize("probes", ["int8", "int16", None])
def test_every_probe_width(tmp_path: Path, probes: ProbeWidth | None) -> None:
    bundle, folder = library(tmp_path, SHAPES["past_a_word"], seed=2, probes=probes)
    host = HostLibrary(folder, trace=True, flags=("-O1",), build_dir=tmp_path)
    assert host.outputs == bundle.probe_outputs
    audio = difficult_audio(2)
    assert_same(reference.run(bundle, audio, trace=True), host.run(audio, trace=True))


@pytest.mark.slow
@pytest.mark.parametrize("site", ["output", "hidden"])
def test_the_shape_of_the_paper(tmp_path: Path, site: Site) -> None:
    bundle, folder = library(tmp_path, NetworkConfig(gate_site=site), seed=3)
    host = HostLibrary(folder, trace=True, build_dir=tmp_path)
    audio = difficult_audio(3)
    assert_same(reference.run(bundle, audio, trace=True), host.run(audio, trace=True))
