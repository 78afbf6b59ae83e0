# SPDX-License-Identifier: Apache-2.0
"""A long stream leaves nothing behind in the C library, and the soak notices where something is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from libraries import SMALL, library
from shipped import SHIPPED, shipped_bundle
from signals import HOP, Pcm, speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError
from dyncp.firmware.host.library import HostLibrary, host_library
from dyncp.firmware.proof.soak import memory, soak

pytestmark = pytest.mark.slow

EMA = SMALL.model_copy(update={"pooling": "ema"})


def noise(frames: int, seed: int) -> Pcm:
    """White noise whose level wanders over 30 dB."""
    rng = np.random.default_rng(seed)
    level = 10 ** (
        np.interp(np.arange(frames * HOP), np.arange(0, frames * HOP, 8 * HOP), rng.uniform(1.5, 3.0, -(-frames // 8)))
    )
    return np.clip(rng.standard_normal(frames * HOP) * level, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("name", SHIPPED)
def test_two_minutes_of_noise_leave_nothing(tmp_path: Path, name: str) -> None:
    bundle = shipped_bundle(name, tmp_path / "bundle")
    frames = 1500
    segments = [*(noise(frames, seed) for seed in range(4)), noise(frames, 0)]
    with host_library(bundle) as made:
        result = soak(bundle, made, segments)
    assert result.steady
    assert [figures.mismatches for figures in result.segments] == [0] * 5
    first, last = result.segments[0], result.segments[-1]
    assert first != result.segments[1]
    if bundle.config.pooling == "ema":
        # A one-pole average may keep a remainder of its past, and no more: a unit that turns a gate on the brink now
        # and then, in noise whose level wanders.
        assert first.level_dbfs == pytest.approx(last.level_dbfs, abs=0.1)
        assert first.utilization == pytest.approx(last.utilization, abs=1e-3)
        return
    assert (result.compared, result.drifted) == (frames - memory(bundle.config), 0)
    assert (first.level_dbfs, first.utilization, first.mean_word) == (last.level_dbfs, last.utilization, last.mean_word)


@pytest.mark.parametrize("config", [SMALL, EMA], ids=["window", "ema"])
def test_small_networks_leave_nothing(tmp_path: Path, config: NetworkConfig) -> None:
    bundle, folder = library(tmp_path, config, seed=4)
    made = HostLibrary(folder, build_dir=tmp_path)
    segments = [noise(1000, 0), noise(1000, 1), speech_like(1000), noise(1000, 0)]
    seen: list[int] = []
    result = soak(bundle, made, segments, seen.append)
    assert result.steady
    assert seen == [1] * 4
    first, last = result.segments[0], result.segments[-1]
    assert first.level_dbfs == pytest.approx(last.level_dbfs, abs=0.01)
    assert first.utilization == pytest.approx(last.utilization, abs=1e-3)


def test_a_library_that_differs_is_noticed(tmp_path: Path) -> None:
    bundle, _ = library(tmp_path / "a", seed=1)
    _, folder = library(tmp_path / "b", seed=2)
    result = soak(bundle, HostLibrary(folder, build_dir=tmp_path), [noise(60, 0), noise(60, 0)])
    assert all(figures.mismatches > 0 for figures in result.segments)
    assert not result.steady


def test_a_past_that_lasts_is_noticed(tmp_path: Path) -> None:
    """Gates that average over four seconds still know, in the second half of a second, what was before it."""
    bundle, folder = library(tmp_path, EMA.model_copy(update={"pooling_frames": 256}), seed=4)
    result = soak(bundle, HostLibrary(folder, build_dir=tmp_path), [noise(60, 0), speech_like(60), noise(60, 0)])
    assert [figures.mismatches for figures in result.segments] == [0] * 3
    assert result.drifted > 100


@pytest.mark.parametrize("segments", [1, 2], ids=["one segment", "another end"])
def test_a_soak_returns_to_its_beginning(tmp_path: Path, segments: int) -> None:
    bundle, folder = library(tmp_path)
    with pytest.raises(AudioError, match="ends with the audio that it began with"):
        soak(bundle, HostLibrary(folder, build_dir=tmp_path), [noise(60, seed) for seed in range(segments)])
