# SPDX-License-Identifier: Apache-2.0
"""A capped float network: never more channels than the cap, the highest of them, trained as the others are."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from networks import trained_enough

from dyncp.base.config.framing import BINS
from dyncp.base.config.network import NetworkConfig
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.gate import Heaviside, among_highest

SHAPE = NetworkConfig(channels=24, hidden=40, stacks=2, gate=6, pooling_frames=9)


def capped(block: int | None, frame: int | None, site: str = "output") -> Enhancer:
    """The same weights and statistics, whatever the cap."""
    return trained_enough(SHAPE.model_copy(update={"block_cap": block, "frame_cap": frame, "gate_site": site}))


@pytest.mark.parametrize("site", ["output", "hidden"])
def test_no_frame_has_more_than_the_cap(site: str) -> None:
    features = torch.rand(2, BINS, 30)
    with torch.no_grad():
        free = capped(None, None, site)(features).masks.sum(2)
        per_block = capped(5, None, site)(features).masks.sum(2)
        per_frame = capped(None, 30, site)(features).masks.sum(2)
        both = capped(7, 30, site)(features).masks.sum(2)
    assert free.max() > 7
    assert free.sum(1).max() > 30
    assert per_block.max() == 5
    assert per_frame.sum(1).max() == 30
    # The blocks take in their order: the first as if there were no cap, the last what is left.
    assert torch.equal(per_frame[:, 0], free[:, 0].clamp(max=30))
    assert both.max() == 7
    assert both.sum(1).max() == 30


def test_a_cap_that_is_never_hit_changes_nothing() -> None:
    features = torch.rand(1, BINS, 20)
    with torch.no_grad():
        free, loose = capped(None, None)(features), capped(24, 6 * 24)(features)
    assert torch.equal(free.masks, loose.masks)
    assert torch.equal(free.suppression, loose.suppression)


def test_a_capped_stream_equals_the_whole() -> None:
    network, features, state, masks = capped(5, 17), torch.rand(1, BINS, 20), None, []
    with torch.no_grad():
        offline = network(features)
        for chunk in features.split([1, 12, 7], dim=-1):
            output = network(chunk, state)
            state = output.state
            masks.append(output.masks)
    assert torch.equal(torch.cat(masks, -1), offline.masks)


def test_the_highest_and_of_equal_ones_the_first() -> None:
    score = torch.tensor([0.5, 3.0, -1.0, 0.5, 0.5, 2.0])[None, :, None].expand(1, 6, 7)
    limits = torch.arange(7.0)[None]
    kept = among_highest(score, limits)[0].T.tolist()
    order = [1, 5, 0, 3, 4, 2]
    assert kept == [[channel in order[:limit] for channel in range(6)] for limit in range(7)]
    assert all(sum(more) == sum(fewer) + 1 for fewer, more in pairwise(kept))


def test_scaling_a_gates_row_changes_no_rank() -> None:
    network, features = capped(5, None), torch.rand(1, BINS, 20)
    with torch.no_grad():
        before = network(features).masks
        for block in network.blocks:
            block.gate.score.weight[3] *= 64
            block.gate.score.bias[3] *= 64
        assert torch.equal(network(features).masks, before)


def test_the_surrogates_gradient_reaches_what_the_cap_leaves_out() -> None:
    score = torch.tensor([0.5, 1.0, -0.5], requires_grad=True)
    mask = Heaviside.apply(score, torch.tensor([False, True, True]))
    assert mask.tolist() == [0.0, 1.0, 0.0]
    mask.sum().backward()
    torch.testing.assert_close(score.grad, torch.tensor([1 / 4, 1 / 9, 1 / 4]))
