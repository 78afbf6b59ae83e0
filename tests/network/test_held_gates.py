# SPDX-License-Identifier: Apache-2.0
"""Bands, gates that decide every few frames or for several blocks, and blocks that do nothing at all."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from dyncp.base.config.experiment import load_config
from dyncp.base.config.framing import BINS
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import parse
from dyncp.base.errors import ConfigError
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.stft import features, over_bins

BANDS = (0, 1, 2, 3, 5, 8, 16, 64, 257)
SHAPE: dict[str, Any] = {"channels": 16, "hidden": 24, "stacks": 2, "dilations": (1, 2), "gate": 4, "bands": BANDS}
VARIANTS = [
    {"gate_period": period, "gate_shared": shared, "gate_site": site, "pooling": pooling, "pooling_frames": frames}
    for period, shared in ((1, "stack"), (3, "block"), (4, "stack"), (16, "network"))
    for site, pooling, frames in (("hidden", "ema", 3), ("output", "window", 3), ("hidden", "gate", (3, 40)))
]


def network_of(**changes: Any) -> Enhancer:
    """Plausible batch-norm statistics, and gates that are neither all open nor all shut."""
    torch.manual_seed(0)
    network = Enhancer(NetworkConfig(**{**SHAPE, "pooling_frames": 3, **changes}))
    for block in network.blocks:
        if block.gate:
            torch.nn.init.normal_(block.gate.score.weight, std=2.0)
            torch.nn.init.normal_(block.gate.score.bias, std=0.1)
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.rand(4, network.config.spectrum, 60))
    return network.eval()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("chunks", [[1] * 50, [3, 17, 1, 19, 10], [50]], ids=["ones", "mixed", "whole"])
def test_a_stream_in_any_chunks_equals_the_whole(variant: dict[str, Any], chunks: list[int]) -> None:
    network, inputs, state = network_of(**variant), torch.rand(2, 8, 50), None
    parts = []
    with torch.no_grad():
        whole = network(inputs)
        for chunk in inputs.split(chunks, dim=-1):
            parts.append(network(chunk, state))
            state = parts[-1].state
    assert 0.05 < whole.utilization.mean() < 0.95
    assert torch.equal(torch.cat([part.masks for part in parts], -1), whole.masks)
    for name in ("scores", "suppression"):
        joined = torch.cat([getattr(part, name) for part in parts], -1)
        torch.testing.assert_close(joined, getattr(whole, name), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_training_computes_what_evaluation_does(variant: dict[str, Any]) -> None:
    network, inputs = network_of(**variant), torch.rand(2, 8, 40)
    with torch.no_grad():
        evaluated = network(inputs)
        network.train()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.eval()
        trained = network(inputs)
    assert torch.equal(trained.masks, evaluated.masks)
    torch.testing.assert_close(trained.suppression, evaluated.suppression, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shared", ["block", "stack", "network"])
def test_groups_decide_in_turn_and_hold_in_between(shared: str) -> None:
    period = 4
    torch.manual_seed(1)
    network = network_of(gate_period=period, gate_shared=shared, gate_site="hidden", pooling="ema", stacks=3)
    config = network.config
    assert config.groups == {"block": 6, "stack": 3, "network": 1}[shared]
    with torch.no_grad():
        masks = network(torch.rand(1, 8, 60)).masks[0]
    changes, flips = (masks[..., 1:] != masks[..., :-1]).any(1), 0
    for i in range(config.blocks):
        group = i // config.blocks_per_gate
        assert not masks[i, :, : group % period].any(), "nothing is active before the first decision"
        changed = changes[i].nonzero().flatten() + 1
        flips += len(changed)
        assert all(config.decides(group, int(frame)) for frame in changed)
    assert flips > 20


def test_pooling_advances_on_decisions_alone() -> None:
    network = network_of(gate_period=4, gate_site="hidden", pooling="ema", stacks=1, dilations=(1,))
    gate, inputs = network.blocks[0].gate, torch.rand(1, 16, 9)
    with torch.no_grad():
        decision, state = gate(inputs, gate.initial_state(inputs))
        average = torch.zeros(1, 16)
        for frame in (0, 4, 8):
            average = average + (inputs[..., frame] - average) * 2 / 4
            wanted = gate.score(torch.relu(gate.reduce(average[..., None])))
            torch.testing.assert_close(decision.score[:, 0, :, frame : frame + 1], wanted)
    torch.testing.assert_close(state.pool[..., 0], average)


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_gates_pass_on_a_share_of_their_gradient(share: float) -> None:
    gate, gradients = network_of(gate_period=2, pooling="ema").blocks[0].gate, []
    gate.train()
    for gate.gradient in (1.0, share):
        inputs = torch.rand(1, 16, 9, generator=torch.Generator().manual_seed(1)).requires_grad_()
        decision, _ = gate(inputs, gate.initial_state(inputs))
        decision.mask.sum().backward(retain_graph=True)
        passed, inputs.grad = inputs.grad, None
        decision.told.sum().backward()
        assert torch.equal(decision.told, decision.mask)
        gradients.append((decision.mask, passed, inputs.grad))
    (whole_mask, whole, _), (mask, part, told) = gradients
    assert torch.equal(mask, whole_mask)
    torch.testing.assert_close(part, share * whole)
    torch.testing.assert_close(told, whole, msg="read-outs have it all")


def test_blocks_of_a_shared_gate_have_none_of_their_own() -> None:
    state = network_of(gate_shared="stack", gate_site="hidden").state_dict()
    gates = {name: tuple(tensor.shape) for name, tensor in state.items() if "score.weight" in name}
    assert gates == {"blocks.0.gate.score.weight": (48, 4, 1), "blocks.2.gate.score.weight": (48, 4, 1)}


def test_a_block_with_nothing_active_does_nothing() -> None:
    block = network_of(gate_site="hidden").blocks[1]
    residual = torch.rand(1, 16, 7)
    with torch.no_grad():
        out, history = block(residual, torch.zeros(1, 24, 7), block.initial_state(residual).history)
    assert torch.equal(out, residual)
    assert not history.any()


def test_a_cap_holds_in_every_block_of_a_group() -> None:
    network = network_of(gate_site="hidden", gate_shared="stack", gate_period=2, block_cap=7)
    free = network_of(gate_site="hidden", gate_shared="stack", gate_period=2)
    inputs = torch.rand(2, 8, 40)
    with torch.no_grad():
        assert free(inputs).masks.sum(2).max() > 7
        assert network(inputs).masks.sum(2).max() == 7


def test_a_band_has_the_mean_power_of_its_bins() -> None:
    spectrum = torch.randn(2, BINS, 5, dtype=torch.complex64)
    found = features(spectrum, BANDS)
    wanted = torch.stack([spectrum[:, a:b].abs().square().mean(1) ** 0.15 for a, b in pairwise(BANDS)], 1)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(found[:, :3], features(spectrum)[:, :3])
    spread = over_bins(found, BANDS)
    assert spread.shape == (2, BINS, 5)
    assert all(torch.equal(spread[:, bin], found[:, 6]) for bin in range(16, 64))


def test_silence_in_bands_is_zero() -> None:
    assert not features(torch.zeros(1, BINS, 3, dtype=torch.complex64), BANDS).any()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"bands": [0, 257, 100]}, "bands: edges must rise"),
        ({"pooling": "ema", "pooling_frames": 2}, "pooling_frames: an average of one pole takes 3 frames or more"),
        (
            {"pooling": "gate", "pooling_frames": (9, 2)},
            "pooling_frames: an average of one pole takes 3 frames or more",
        ),
        ({"pooling": "gate", "pooling_frames": 9}, "pooling_frames: pooling 'gate' takes a list"),
        ({"pooling": "ema", "pooling_frames": (3, 9)}, "pooling_frames: pooling 'ema' takes one number"),
        ({"gate": 4, "pooling": "gate", "pooling_frames": (3,) * 5}, "pooling_frames: more than the gate's 4 values"),
        ({"bands": [1, 257]}, "bands: edges must rise"),
        ({"bands": [0, 256]}, "bands: edges must rise"),
        ({"bands": [0]}, "bands: edges must rise"),
        ({"gate_period": 17}, "gate_period"),
        ({"gate_period": 2, "frame_cap": 9}, "frame_cap: needs gates that decide in every frame"),
        ({"gate_shared": "stack", "frame_cap": 9}, "frame_cap: needs gates that decide in every frame"),
        ({"gate_period": 2, "gate_site": "none"}, "static network"),
        ({"gate_shared": "pair"}, "gate_shared"),
    ],
)
def test_impossible_options_are_refused(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse(NetworkConfig, fields, "network.toml")


def test_later_options_leave_earlier_configurations_as_they_were() -> None:
    for name in ("paper", "steady"):
        assert not {"bands", "gate_period", "gate_shared"} & load_config(name).network.model_dump().keys()
    config = NetworkConfig(**{**SHAPE, "gate_period": 2})
    assert NetworkConfig.model_validate_json(config.model_dump_json()) == config
    assert config.model_dump()["bands"] == BANDS


def test_macs_are_those_of_the_weights_in_use() -> None:
    for shared in ("block", "stack", "network"):
        network = network_of(gate_site="hidden", gate_shared=shared, gate_period=3)
        config = network.config
        ends = network.front.weight.numel() + network.back.weight.numel()
        block = network.blocks[1]
        channel = sum(layer.weight.numel() for layer in (block.expand, block.depthwise, block.project)) // 24
        total = 0
        for frame in range(3):
            deciding = [
                block.gate.reduce.weight.numel() + block.gate.score.weight.numel()
                for block in network.blocks
                if block.gate and (frame - block.gate.group) % 3 == 0
            ]
            assert config.frame_macs(frame, 10) == ends + sum(deciding) + 10 * channel
            total += sum(deciding)
        assert config.macs(10) == ends + -(-total // 3) + 10 * channel
        assert config.macs(10, gates=False) == ends + 10 * channel
        assert config.most_macs == max(config.frame_macs(frame, 4 * 24) for frame in range(3))
