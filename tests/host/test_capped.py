# SPDX-License-Identifier: Apache-2.0
"""Capped, by configuration and in mid-stream, the C on the host equals the reference, and no frame costs more."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from libraries import assert_same, difficult_audio, library

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.caps import Caps
from dyncp.export.integers.run import joined
from dyncp.firmware.host.library import HostLibrary

pytestmark = pytest.mark.slow

Site = Literal["output", "hidden"]

CONFIG = NetworkConfig(channels=33, hidden=40, gate=5, stacks=2, dilations=(1, 3), pooling_frames=7)
CAPS = [(3, None), (None, 20), (5, 13), (1, 1), (33, 200)]


def cap_of(block: int | None, frame: int | None, site: Site = "output") -> NetworkConfig:
    return CONFIG.model_copy(update={"block_cap": block, "frame_cap": frame, "gate_site": site})


@pytest.mark.parametrize("caps", CAPS, ids=str)
@pytest.mark.parametrize("site", ["output", "hidden"])
def test_every_stage_of_a_capped_network(tmp_path: Path, site: Site, caps: tuple[int | None, int | None]) -> None:
    config = cap_of(*caps, site)
    bundle, folder = library(tmp_path, config, seed=1)
    audio = difficult_audio(1)
    expected = reference.run(bundle, audio, trace=True)
    assert_same(expected, HostLibrary(folder, trace=True, flags=("-O1",), build_dir=tmp_path).run(audio, trace=True))
    active = unpack_masks(expected.masks, config).sum(axis=2)
    assert active.max() <= config.block_limit
    assert expected.active.max() <= config.frame_limit
    assert expected.macs.max() <= config.macs(config.frame_limit)
    uncapped = reference.run(bundle, audio, caps=Caps(config.gated, config.blocks * config.gated))
    if config.frame_limit < 100:
        assert expected.active.max() == config.frame_limit < uncapped.active.max(), "the cap must have been hit"
    assert np.all(expected.trace["block0_mask"] & ~uncapped.masks[:, : config.mask_words_per_block] == 0)


@pytest.mark.parametrize("site", ["output", "hidden"])
def test_a_cap_set_in_mid_stream(tmp_path: Path, site: Site) -> None:
    config = cap_of(None, 30, site)
    bundle, folder = library(tmp_path, config, seed=2)
    host = HostLibrary(folder, trace=True, flags=("-O2",), build_dir=tmp_path)
    audio = difficult_audio(2)
    # From a frame on: channels per block, per frame.
    settings = {
        0: (config.block_limit, config.frame_limit),
        9: (4, 11),
        40: (2**32 - 1, 2**32 - 1),
        60: (0, 5),
        70: (9, 0),
    }
    settings |= {90: (config.block_limit, 17), 110: (6, 2**32 - 1)}
    starts = np.array(list(settings))
    at = np.searchsorted(starts, np.arange(len(audio) // 256), side="right") - 1
    per_block, per_frame = np.array(list(settings.values()))[at].T
    expected = reference.run(bundle, audio, trace=True, caps=Caps(per_block, per_frame))
    assert np.all(expected.active <= per_frame)
    assert not expected.active[60:90].any()

    stream, runs = host.stream(), []
    for cap, piece in zip(settings.values(), np.split(audio, 256 * starts[1:]), strict=True):
        if runs:
            stream.set_cap(*cap)
        runs.append(stream.run(piece, trace=True))
    assert_same(expected, joined(runs))
    for stage, values in expected.trace.items():
        np.testing.assert_array_equal(np.concatenate([run.trace[stage] for run in runs]), values, err_msg=stage)

    stream.reset()
    assert_same(reference.run(bundle, audio[: 30 * 256]), stream.run(audio[: 30 * 256]))
