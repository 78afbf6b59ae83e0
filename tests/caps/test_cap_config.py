# SPDX-License-Identifier: Apache-2.0
"""Caps in the configuration: bounds, files, and the bundle that carries them."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundles import random_bundle
from libraries import SMALL, library
from networks import trained_enough

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ConfigError
from dyncp.export.formats.bundle import read_bundle, write_bundle
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint


@pytest.mark.parametrize(
    ("caps", "block", "frame"),
    [
        ({}, 128, 1152),
        ({"block_cap": 20}, 20, 180),
        ({"frame_cap": 300}, 128, 300),
        ({"block_cap": 20, "frame_cap": 170}, 20, 170),
        ({"block_cap": 20, "frame_cap": 999}, 20, 180),
        ({"block_cap": 500, "frame_cap": 5000}, 128, 1152),
    ],
)
def test_limits(caps: dict[str, int], block: int, frame: int) -> None:
    config = NetworkConfig(**caps)  # type: ignore[arg-type]
    assert (config.block_limit, config.frame_limit, config.capped) == (block, frame, bool(caps))


@pytest.mark.parametrize("line", ["block_cap = 0", "frame_cap = -1", 'gate_site = "none"\nblock_cap = 5'])
def test_caps_that_make_no_sense_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "config.toml").write_text(f"[network]\n{line}\n")
    with pytest.raises(ConfigError, match=r"config\.toml: network.*_cap"):
        load_config(tmp_path / "config.toml")


def test_a_checkpoint_and_a_bundle_carry_the_cap(tmp_path: Path) -> None:
    capped = SMALL.model_copy(update={"block_cap": 4, "frame_cap": 7})
    for config in (SMALL, capped):
        write_checkpoint(tmp_path / "checkpoint", trained_enough(config), Config(network=config), 1, [0.5, 0.5], 0.1)
        assert load_checkpoint(tmp_path / "checkpoint").config.network == config
    bundle = random_bundle(capped, seed=0)
    write_bundle(bundle, tmp_path / "bundle")
    assert read_bundle(tmp_path / "bundle").config == capped
    assert bundle.network_hash != random_bundle(SMALL, seed=0).network_hash


def test_the_header_states_the_cap_and_what_a_channel_costs(tmp_path: Path) -> None:
    for name, caps, block, frame in (("free", {}, 12, 24), ("capped", {"block_cap": 4, "frame_cap": 7}, 4, 7)):
        config = SMALL.model_copy(update=caps)
        header = (library(tmp_path / name, config)[1] / "dyncp.h").read_text()
        for define in (f"BLOCK_CAP {block}", f"FRAME_CAP {frame}", f"MACS_MIN {config.macs(0)}", "MACS_CHANNEL 20"):
            assert f"#define DYNCP_{define} " in header
