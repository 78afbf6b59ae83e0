# SPDX-License-Identifier: Apache-2.0
"""Networks of 2, 4 and 5 taps: their libraries equal the reference on the host and on every core; those of 3 have no
part of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import SMALL, STRICT, assert_same, library
from pydantic import ValidationError

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError
from dyncp.codegen.accounting import macs_by_layer
from dyncp.codegen.lowering.streaming import step_costs
from dyncp.export.formats.bundle import check
from dyncp.export.integers import reference
from dyncp.firmware.building import toolchain
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.validate import validate

pytestmark = pytest.mark.slow

TAPS = (2, 4, 5)


@st.composite
def configs(draw: st.DrawFn) -> NetworkConfig:
    return NetworkConfig(
        channels=draw(st.integers(4, 20)),
        hidden=draw(st.integers(4, 40)),
        stacks=draw(st.integers(1, 2)),
        dilations=tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=2))),
        kernel=draw(st.sampled_from(TAPS)),
        gate=3,
        gate_site=draw(st.sampled_from(["output", "hidden"])),
        gate_period=draw(st.sampled_from([1, 3])),
        pooling_frames=5,
    )


@given(config=configs(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_the_host_equals_the_reference(
    tmp_path_factory: pytest.TempPathFactory, config: NetworkConfig, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("taps")
    bundle, made = library(folder, config, seed % 1000)
    pcm = np.random.default_rng(seed).integers(-32768, 32768, 40 * config.hop).astype(np.int16)
    expected = reference.run(bundle, pcm, trace=True)
    kernels = "-DDYNCP_DSP" if seed % 2 else "-DDYNCP_PORTABLE"
    assert_same(expected, HostLibrary(made, trace=True, flags=("-O0", kernels), build_dir=folder).run(pcm, trace=True))


@pytest.mark.parametrize(("taps", "site"), [(2, "hidden"), (4, "output"), (5, "hidden")])
def test_validate_is_exact_on_every_core(taps: int, site: str, tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"kernel": taps, "gate_site": site, "hidden": 40})
    bundle, folder = library(tmp_path, config)
    pcm = np.random.default_rng(3).integers(-32768, 32768, 8 * config.hop).astype(np.int16)
    record = validate(bundle, folder, pcm, tmp_path / "validation")
    assert record.exact
    assert len(record.targets) == 5


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("site", ["output", "hidden"])
def test_what_is_generated_compiles_without_a_warning(compiler: str, site: str, tmp_path: Path) -> None:
    _, folder = library(tmp_path, SMALL.model_copy(update={"kernel": 4, "gate_site": site}))
    for options in ((), ("-DDYNCP_DSP",)):
        toolchain.run([compiler, *STRICT, "-O1", *options, "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


def test_only_other_taps_bring_their_headers(tmp_path: Path) -> None:
    headers = {"dyncp_taps.h", "dyncp_taps_dsp.h", "dyncp_taps_helium.h", "dyncp_taps_portable.h"}
    _, three = library(tmp_path / "three", SMALL)
    _, five = library(tmp_path / "five", SMALL.model_copy(update={"kernel": 5}))
    assert not headers & {path.name for path in three.iterdir()}
    assert headers <= {path.name for path in five.iterdir()}
    assert "TAPS" not in (three / "dyncp.c").read_text()


@pytest.mark.parametrize("site", ["output", "hidden"])
@pytest.mark.parametrize("taps", TAPS)
def test_costs_and_sizes(taps: int, site: str, tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"kernel": taps, "gate_site": site})
    gated = config.blocks * config.gated
    layers = macs_by_layer(config)
    assert sum(layer.dense + layer.per_active * config.gated for layer in layers) == config.macs(gated)
    assert sum(step_costs(config)[1:-1]) == config.macs(gated)
    bundle, folder = library(tmp_path, config)
    assert bundle.tensors["blocks.1.depthwise.weight"].shape == (config.hidden, taps)
    assert f"int8_t history[{2 * (taps - 1)}][{config.hidden}];" in (folder / "dyncp_private.h").read_text()


@pytest.mark.parametrize("taps", [1, 6])
def test_other_numbers_are_refused(taps: int) -> None:
    with pytest.raises(ValidationError, match="kernel"):
        NetworkConfig(kernel=taps)


def test_a_sum_that_may_overflow_is_refused_by_name() -> None:
    """The proof adds up all taps of a row: the last of five decides."""
    bundle = random_bundle(SMALL.model_copy(update={"kernel": 5}), 0)
    room = 2**31 - 1 - 127 * 4 * 127
    bundle.tensors["blocks.0.depthwise.weight"][0] = [127, 127, 127, 127, 0]
    bundle.tensors["blocks.0.depthwise.bias"][0] = room
    check(bundle)
    bundle.tensors["blocks.0.depthwise.weight"][0, 4] = 1
    with pytest.raises(BundleError, match=r"blocks\.0\.depthwise row 0"):
        check(bundle)


def test_three_taps_are_what_they_were() -> None:
    """Neither hashes of networks nor configurations in files name the field."""
    assert "kernel" not in NetworkConfig().model_dump()
    assert NetworkConfig(kernel=5).model_dump()["kernel"] == 5
