# SPDX-License-Identifier: Apache-2.0
"""Instructions against active channels: the line and what follows from it, the crafted networks, the counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import check
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.firmware.bench.skipping import SITES, Curve, Site, random_network, skipping, steps


def test_line_deviation_and_break_even() -> None:
    curve = Curve(core="x", site="output", active=[0, 4, 8], instructions=[10, 30, 50], by_layer={}, dense=45)
    assert curve.line == pytest.approx((5, 10))
    assert curve.deviation == pytest.approx(0)
    assert curve.slope_against_dense == pytest.approx(5 * 8 / 45)
    assert curve.break_even == pytest.approx(35 / 40)
    bent = curve.model_copy(update={"instructions": [10, 33, 50]})
    assert bent.line == pytest.approx((5, 11))
    assert bent.deviation == pytest.approx(2 / 50)


@pytest.mark.parametrize("site", SITES)
def test_gates_of_a_crafted_network_always_say_the_same(site: Site) -> None:
    config = NetworkConfig(channels=12, hidden=20, gate=3, gate_site=site)
    active = steps(config)
    assert (active[0], active[-1], len(active)) == (0, config.gated, 9)
    bundle = random_network(config, active)
    check(bundle)
    pcm = np.random.default_rng(0).integers(-9000, 9000, 5 * HOP).astype(np.int16)
    masks = unpack_masks(reference.run(bundle, pcm).masks, config)
    assert masks.sum(axis=2).tolist() == [active] * 5


@pytest.mark.slow
def test_a_pruned_channel_is_not_computed(tmp_path: Path) -> None:
    for curve in skipping(tmp_path, ("cortex-m3",)).curves:
        assert np.all(np.diff(curve.instructions) > 0)
        assert curve.instructions[0] < 0.1 * curve.dense, curve.site
        assert curve.deviation < 0.05, curve.site
