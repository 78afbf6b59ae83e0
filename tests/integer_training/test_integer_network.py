# SPDX-License-Identifier: Apache-2.0
"""The network that is trained through computes, integer by integer, what the exported one will."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks import CAPPED, FOLLOWING, SHAPES, STATIC, TAPPED, trained_enough
from numpy.typing import NDArray
from signals import extreme, speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integer_training.integer_network import IntegerNetwork, integer_features
from dyncp.export.integers import reference
from dyncp.export.quantization.fold import fold_network
from dyncp.export.quantization.quantize import quantize_trained, scales_for
from dyncp.export.transforms import frontend
from dyncp.train.network.enhancer import Enhancer

CALIBRATION = [speech_like(100, seed=1)]
CLIPS = np.stack([speech_like(60, seed=5), np.concatenate([extreme("noise", 40), speech_like(20, seed=6)])])


def name(config: NetworkConfig) -> str:
    shape = config.gate_site, config.pooling, config.block_cap, config.frame_cap, config.kernel, config.hop
    return "-".join(map(str, (*shape, config.spectrum, config.gate_shared, config.gate_period)))


every_shape = pytest.mark.parametrize("config", [*SHAPES, STATIC, *CAPPED, *FOLLOWING, *TAPPED], ids=name)


def integers(network: Enhancer, scales: dict[str, float]) -> Bundle:
    return quantize_trained(fold_network(network, ""), scales)


def heard_by(network: IntegerNetwork, clips: NDArray[np.int16] = CLIPS) -> torch.Tensor:
    framing, scale = network.config.framing, network.scales["features"]
    thresholds = frontend.feature_thresholds(scale, framing.fft)
    return torch.from_numpy(integer_features(clips, thresholds, framing, network.config.bands))


def as_exported(bundle: Bundle, pcm: NDArray[np.int16]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
    """Suppression [bins, T] and gates [blocks, N, T] of the reference."""
    framing, thresholds = bundle.config.framing, bundle.tensors["features.thresholds"]
    spectrum = frontend.analysis(pcm.reshape(-1, framing.hop), framing)
    suppression, active = reference.network(bundle, frontend.features(spectrum, thresholds, bundle.config.bands))
    return suppression.T, active.transpose(1, 2, 0)


def assert_equal(network: IntegerNetwork) -> NDArray[np.bool_]:
    """Every gate and every value of the suppression mask, on all clips; returns the gates."""
    bundle = integers(network.network, network.scales)
    with torch.no_grad():
        suppression, gates, told, _ = network(heard_by(network))
    assert torch.equal(told, gates)
    for k, pcm in enumerate(CLIPS):
        wanted, active = as_exported(bundle, pcm)
        np.testing.assert_array_equal(gates[k].numpy(), active)
        np.testing.assert_array_equal(suppression[k].double().numpy() * 2**15, wanted)
    return gates.numpy() > 0


def through(config: NetworkConfig) -> IntegerNetwork:
    network = trained_enough(config)
    return IntegerNetwork(network, scales_for(fold_network(network, ""), CALIBRATION))


@every_shape
def test_forward_is_the_reference_before_and_after_updates(config: NetworkConfig) -> None:
    network = through(config)
    gates = assert_equal(network)
    assert not config.gated or 0.05 < gates.mean() < 0.95
    if config.frame_cap is not None or config in CAPPED:
        assert gates.sum(axis=(1, 2)).max() == config.frame_limit
    elif config.capped:
        assert gates.sum(axis=2).max() == config.block_limit
    features = heard_by(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    before = {k: v.clone() for k, v in network.network.state_dict().items()}
    for _ in range(3):
        optimizer.zero_grad()
        suppression, masks, *_ = network(features)
        (suppression.square().mean() + masks.sum() / max(1, masks.numel())).backward()
        optimizer.step()
    after = network.network.state_dict()
    assert all(not torch.equal(before[k], after[k]) for k, _ in network.network.named_parameters())
    assert_equal(network)


@every_shape
def test_gradients_reach_every_parameter(config: NetworkConfig) -> None:
    network = through(config)
    suppression, *_ = network(heard_by(network))
    suppression.square().sum().backward()
    for parameter, values in network.network.named_parameters():
        assert values.grad is not None, parameter
        assert torch.isfinite(values.grad).all(), parameter
        assert values.grad.abs().max() > 0, parameter


def test_the_gradient_is_that_of_real_numbers() -> None:
    """A step along it lowers the loss of the float network too, whose own gradient it resembles."""
    network = through(STATIC)
    scale, x = network.scales["features"], heard_by(network, CLIPS[:1])
    gradients = []
    for suppression in (network(x)[0], network.network(x * scale).suppression):
        network.zero_grad()
        suppression.square().sum().backward()
        gradients.append([p.grad.clone() for p in network.network.parameters() if p.grad is not None])
    for through_integers, of_floats in zip(*gradients, strict=True):
        cosine = torch.cosine_similarity(through_integers.flatten(), of_floats.flatten(), dim=0)
        assert cosine > 0.9


@pytest.mark.parametrize("pooling", ["window", "ema"])
def test_sums_beyond_float32_are_exact(pooling: str) -> None:
    """A long window and a gate of weights as large as int8 has: sums that float32 would round."""
    config = SHAPES[0].model_copy(update={"pooling": pooling, "pooling_frames": 250, "channels": 64})
    network = through(config)
    with torch.no_grad():
        for block in network.network.blocks:
            block.gate.reduce.weight.copy_(block.gate.reduce.weight.sign() * block.gate.reduce.weight.abs().mean())
    bundle = integers(network.network, network.scales)
    reach = np.abs(bundle.tensors["blocks.0.gate.reduce.weight"].astype(int)).sum(axis=1) * 128 * 250
    assert reach.min() > 2**24
    assert_equal(network)


def test_reduced_precision_changes_no_integer() -> None:
    network = through(SHAPES[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert_equal(network)


def test_clips_start_from_silence_each() -> None:
    thresholds = frontend.feature_thresholds(0.02)
    both = integer_features(CLIPS, thresholds)
    for k in range(2):
        np.testing.assert_array_equal(integer_features(CLIPS[k : k + 1], thresholds)[0], both[k])
        np.testing.assert_array_equal(
            frontend.features(frontend.analysis(CLIPS[k].reshape(-1, 256)), thresholds).T, both[k]
        )
