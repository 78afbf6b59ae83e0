# SPDX-License-Identifier: Apache-2.0
"""The network: cost, causality, streaming, gates."""

from __future__ import annotations

import pytest
import torch

from dyncp.base.config.experiment import load_config
from dyncp.base.config.framing import BINS, HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.gate import Heaviside
from dyncp.train.network.stft import analyse, synthesise

VARIANTS = [(site, pooling) for site in ("output", "hidden") for pooling in ("window", "ema")]


def random_network(seed: int = 0, **shape: object) -> Enhancer:
    """Random weights with plausible batch-norm statistics, and gates that are neither all open nor all shut."""
    torch.manual_seed(seed)
    network = Enhancer(NetworkConfig(**shape))
    for block in network.blocks:
        torch.nn.init.normal_(block.gate.score.weight, std=1.0)
        torch.nn.init.zeros_(block.gate.score.bias)
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.rand(4, BINS, 60))
    return network.eval()


def counted_macs(network: Enhancer, active: int) -> int:
    """MACs of one frame, counted from the weights that exist and the channels that run."""
    macs = network.front.weight.numel() + network.back.weight.numel()
    for block in network.blocks:
        macs += block.gate.reduce.weight.numel() + block.gate.score.weight.numel()
        macs += block.expand.weight.numel() + block.depthwise.weight.numel()
    return macs + active * network.blocks[0].project.weight.shape[1]


def test_paper_preset_has_the_papers_cost() -> None:
    config = load_config("paper").network
    assert config.macs(1152, gates=False) == 662_528
    assert config.macs(1152) == 699_392
    assert config.receptive_field == 43 == config.pooling_frames
    network = Enhancer(config)
    for active in (0, 1, 202, 1152):
        assert config.macs(active) == 404_480 + 256 * active == counted_macs(network, active)


def test_hidden_gates_skip_rows_depthwise_and_columns() -> None:
    config = NetworkConfig(gate_site="hidden")
    assert config.macs_per_channel == 128 + 3 + 128
    assert config.macs(9 * 256, gates=False) == 662_528


@pytest.mark.parametrize(("site", "pooling"), VARIANTS)
@pytest.mark.parametrize("chunks", [[1] * 40, [3, 17, 1, 19], [40]])
def test_streaming_equals_offline(site: str, pooling: str, chunks: list[int]) -> None:
    network = random_network(
        channels=24, hidden=40, stacks=2, gate=6, gate_site=site, pooling=pooling, pooling_frames=9
    )
    features = torch.rand(2, BINS, 40)
    state = None
    masks, suppressions = [], []
    with torch.no_grad():
        offline = network(features)
        for chunk in features.split(chunks, dim=-1):
            output = network(chunk, state)
            state = output.state
            masks.append(output.masks)
            suppressions.append(output.suppression)
    assert 0.05 < offline.utilization.mean() < 0.95
    assert torch.equal(torch.cat(masks, -1), offline.masks)
    torch.testing.assert_close(torch.cat(suppressions, -1), offline.suppression, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("taps", [2, 4, 5])
def test_other_than_three_taps(taps: int) -> None:
    """Streaming and training compute the same, from as far back as the receptive field, at the cost of the weights."""
    network = random_network(channels=16, hidden=24, stacks=2, dilations=(1, 3), gate=4, pooling_frames=1, kernel=taps)
    config, features = network.config, torch.rand(1, BINS, 40)
    assert config.receptive_field == 1 + 8 * (taps - 1)
    assert config.macs(7) == counted_macs(network, 7)
    hidden = config.model_copy(update={"gate_site": "hidden"})
    assert (config.macs_per_channel, hidden.macs_per_channel) == (24, 32 + taps)
    with torch.no_grad():
        offline, state, streamed = network(features).suppression, None, []
        for frame in features.split(1, dim=-1):
            output = network(frame, state)
            state = output.state
            streamed.append(output.suppression)
        torch.testing.assert_close(torch.cat(streamed, -1), offline, atol=1e-5, rtol=1e-4)
        convolution, padded = network.blocks[1].depthwise, torch.rand(1, 24, 40)
        torch.testing.assert_close(convolution.train()(padded), convolution.eval()(padded))
    first = features.clone().requires_grad_()
    network.eval()(first).suppression[..., -1].sum().backward()
    reached = first.grad.abs().sum((0, 1)).nonzero().flatten()  # type: ignore[union-attr]
    assert 40 - int(reached[0]) == config.receptive_field


@pytest.mark.parametrize(("site", "pooling"), VARIANTS)
def test_future_frames_change_nothing(site: str, pooling: str) -> None:
    network = random_network(channels=16, hidden=24, stacks=1, gate=4, gate_site=site, pooling=pooling)
    features = torch.rand(1, BINS, 30)
    changed = features.clone()
    changed[..., 20:] = torch.rand(1, BINS, 10)
    with torch.no_grad():
        before, after = network(features).suppression, network(changed).suppression
    torch.testing.assert_close(before[..., :20], after[..., :20])
    assert not torch.allclose(before[..., 20:], after[..., 20:])


def test_long_ema_equals_its_recurrence() -> None:
    from dyncp.train.network.pooling import EmaPooling

    pool = EmaPooling(3, 43)
    x = torch.rand(1, 3, 300)
    pooled, _ = pool(x, pool.initial_state(x))
    e = torch.zeros(1, 3)
    for t in range(300):
        e = e + (x[..., t] - e) * 2 / 44
        torch.testing.assert_close(pooled[..., t], e, atol=1e-5, rtol=1e-5)


def test_heaviside_has_the_surrogates_gradient() -> None:
    score = torch.tensor([-1.0, 0.0, 0.5], requires_grad=True)
    mask = Heaviside.apply(score)
    assert mask.tolist() == [0.0, 0.0, 1.0]
    mask.sum().backward()
    torch.testing.assert_close(score.grad, torch.tensor([1 / 9, 1.0, 1 / 4]))


def test_a_closed_gate_passes_the_residual_through() -> None:
    network = random_network(channels=16, hidden=24, stacks=1, dilations=(1,), gate=4)
    block = network.blocks[0]
    torch.nn.init.zeros_(block.gate.score.weight)
    torch.nn.init.constant_(block.gate.score.bias, -1.0)
    residual = torch.rand(1, 16, 5)
    with torch.no_grad():
        state = block.initial_state(residual)
        mask = block.decide(residual, state)[0].mask[:, 0]
        out, _ = block(residual, mask, state.history)
    assert mask.sum() == 0
    assert torch.equal(out, residual)


def test_stft_reconstructs_one_hop_late() -> None:
    signal = torch.rand(2, 20 * HOP, dtype=torch.float64) - 0.5
    rebuilt = synthesise(analyse(signal))
    torch.testing.assert_close(rebuilt[:, HOP:], signal[:, :-HOP])


def test_a_window_of_one_frame_trains() -> None:
    network = Enhancer(NetworkConfig(channels=8, hidden=8, stacks=1, gate=2, pooling_frames=1)).train()
    network(torch.rand(2, 257, 9)).suppression.sum().backward()
    assert network.blocks[0].gate.reduce.weight.grad is not None  # type: ignore[union-attr]
