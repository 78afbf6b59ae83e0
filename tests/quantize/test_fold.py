# SPDX-License-Identifier: Apache-2.0
"""Folding keeps the function: NumPy with folded batch norm equals the torch network in eval mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks import CAPPED, FOLLOWING, SHAPES, TAPPED, features_of, trained_enough

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import QuantizationError
from dyncp.export.quantization.fold import fold_network


@pytest.mark.parametrize("config", [*SHAPES, *CAPPED, *FOLLOWING, *TAPPED])
def test_fold_equals_the_torch_network(config: NetworkConfig) -> None:
    network = trained_enough(config)
    features = features_of(90, config).astype(np.float64)
    suppression, active = fold_network(network, "").forward(features)
    with torch.no_grad():
        wanted = network.double()(torch.from_numpy(features.T[None]))
    assert np.abs(suppression - wanted.suppression[0].numpy().T).max() < 1e-5
    assert np.array_equal(active, wanted.masks[0].numpy().transpose(2, 0, 1) > 0)
    assert 0 < active.mean() < 1
    assert active.sum(axis=2).max() <= config.block_limit
    assert active.sum(axis=(1, 2)).max() <= config.frame_limit


@pytest.mark.parametrize("name", ["front.weight", "blocks.0.expand_norm.running_var", "blocks.1.gate.score.bias"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(name: str, value: float) -> None:
    network = trained_enough(SHAPES[0])
    network.state_dict()[name].view(-1)[0] = value
    with pytest.raises(QuantizationError, match=name):
        fold_network(network, "")


def test_a_negative_variance_is_refused() -> None:
    network = trained_enough(SHAPES[0])
    network.state_dict()["blocks.0.depthwise_norm.running_var"][3] = -1.0
    with pytest.raises(QuantizationError, match=r"depthwise_norm\.running_var"):
        fold_network(network, "")


def test_a_wrong_shape_is_refused() -> None:
    network = trained_enough(SHAPES[0])
    network.front = torch.nn.Conv1d(257, 13, 1)
    with pytest.raises(QuantizationError, match=r"front\.weight"):
        fold_network(network, "")
