# SPDX-License-Identifier: Apache-2.0
"""A static network: everything is computed, always, and there are no gates to report."""

from __future__ import annotations

import pytest
import torch
from networks import SHAPES, STATIC, trained_enough

from dyncp.base.config.experiment import Config
from dyncp.base.config.framing import BINS
from dyncp.base.config.reading import parse
from dyncp.base.errors import ConfigError


def test_it_is_the_gated_network_with_every_gate_open() -> None:
    static, gated = trained_enough(STATIC), trained_enough(SHAPES[0])
    state = gated.state_dict()
    state.update(static.state_dict())
    gated.load_state_dict(state)
    with torch.no_grad():
        for block in gated.blocks:
            block.gate.score.weight.zero_()
            block.gate.score.bias.fill_(1.0)
        features = torch.rand(2, BINS, 30)
        output = static(features)
        torch.testing.assert_close(output.suppression, gated(features).suppression)
    assert output.masks.shape == output.scores.shape == (2, STATIC.blocks, 0, 30)
    assert output.utilization.isnan().all()


def test_a_stream_equals_the_whole() -> None:
    network, features, state, parts = trained_enough(STATIC), torch.rand(1, BINS, 20), None, []
    with torch.no_grad():
        offline = network(features)
        for chunk in features.split([1, 12, 7], dim=-1):
            output = network(chunk, state)
            state = output.state
            parts.append(output.suppression)
    torch.testing.assert_close(torch.cat(parts, -1), offline.suppression, atol=1e-5, rtol=1e-4)


def test_every_weight_costs_one_mac_a_frame() -> None:
    counted = sum(p.numel() for name, p in trained_enough(STATIC).named_parameters() if p.dim() > 1)
    assert STATIC.macs(0) == counted == STATIC.macs(0, gates=False)
    assert STATIC.macs_per_channel == STATIC.gated == STATIC.mask_words == STATIC.frame_limit == 0


@pytest.mark.parametrize("cap", ["block_cap", "frame_cap"])
def test_caps_need_gates(cap: str) -> None:
    with pytest.raises(ConfigError, match=cap):
        parse(Config, {"network": {"gate_site": "none", cap: 3}}, "static.toml")
