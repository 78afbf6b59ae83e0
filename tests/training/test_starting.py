# SPDX-License-Identifier: Apache-2.0
"""Starting from a trained network: what carries most is kept, new channels are added, a dense one becomes dynamic."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from networks import AVERAGING, SHAPES, STATIC, trained_enough
from sounds import small_corpus

from dyncp.base.config.experiment import Config
from dyncp.base.config.framing import BINS
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import CheckpointError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Mixer
from dyncp.train.network.checkpoint import load_checkpoint
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.starting import start_weights
from dyncp.train.network.width import narrowed, widened


@pytest.fixture(scope="module")
def mixer(tmp_path_factory: pytest.TempPathFactory) -> Mixer:
    part = load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c", speakers=1, frames=100)).split("train")
    return Mixer(read_all(part.speech), read_all(part.noise), MixingConfig(clip_s=0.5))


def trainer(network: NetworkConfig, mixer: Mixer, folder: Path, open_channels: int = 0) -> Trainer:
    training = TrainingConfig(batch=1, epochs=1, steps_per_epoch=2, open_channels=open_channels)
    return Trainer(Config(network=network, training=training), mixer, mixer, folder)


def half_dead(config: NetworkConfig) -> Enhancer:
    """Every second conv channel gives nothing, by its weights or by what follows it."""
    network = trained_enough(config)
    with torch.no_grad():
        for block in network.blocks:
            block.depthwise_norm.weight[::4] = 0
            block.depthwise_norm.bias[::4] = -1
            block.project.weight[:, 2::4] = 0
    return network


@pytest.mark.parametrize("config", [SHAPES[0], SHAPES[1], STATIC], ids=lambda c: c.gate_site)
def test_narrowing_leaves_out_what_gives_nothing(config: NetworkConfig) -> None:
    network, features = half_dead(config), torch.rand(2, BINS, 30)
    narrow = narrowed(network, config.hidden // 2)
    assert narrow.config == config.model_copy(update={"hidden": config.hidden // 2})
    with torch.no_grad():
        wanted, found = network(features), narrow(features)
    torch.testing.assert_close(found.suppression, wanted.suppression, atol=1e-5, rtol=1e-4)
    masks = wanted.masks[:, :, 1::2] if config.gate_site == "hidden" else wanted.masks
    assert torch.equal(found.masks, masks)
    assert config.gate_site == "none" or 0.05 < found.masks.mean() < 0.95


@pytest.mark.parametrize("config", [SHAPES[0], SHAPES[1], AVERAGING[1], STATIC], ids=lambda c: c.gate_site)
@pytest.mark.parametrize("factor", [1, 1.25, 2.5])
def test_widening_keeps_what_a_network_does(config: NetworkConfig, factor: float) -> None:
    network, features = trained_enough(config), torch.rand(2, config.spectrum, 30)
    wide = widened(network, int(config.hidden * factor))
    assert wide.config == config.model_copy(update={"hidden": int(config.hidden * factor)})
    with torch.no_grad():
        before, after = network(features), wide(features)
    torch.testing.assert_close(after.suppression, before.suppression)
    assert torch.equal(after.masks[:, :, : before.masks.shape[2]], before.masks)
    if config.gate_site == "hidden":
        new = after.masks[:, :, config.hidden :]
        last = torch.arange(config.hidden - 1, -1, -1).repeat(2)[: new.shape[2]]
        assert torch.equal(new, before.masks[:, :, last])


def test_what_a_wider_network_hears_is_there_to_be_learned_from() -> None:
    torch.manual_seed(0)
    wide = widened(trained_enough(SHAPES[1]), SHAPES[1].hidden + 8).train()
    output = wide(torch.rand(2, BINS, 30))
    output.suppression.square().sum().backward()
    opened = output.masks[:, :, -8:].amax(dim=(0, 3)) > 0
    assert opened.any()
    for block, channels in zip(wide.blocks, opened, strict=True):
        gradient = block.project.weight.grad
        assert gradient is not None
        assert torch.equal(gradient[:, -8:].abs().amax(dim=(0, 2)) > 0, channels)


@pytest.mark.parametrize("config", [SHAPES[1], AVERAGING[1]], ids=["window", "gate"])
def test_gates_with_more_values_decide_as_before(config: NetworkConfig) -> None:
    network, features = trained_enough(config), torch.rand(2, config.spectrum, 30)
    frames = {"pooling_frames": (3, 20, 3, 20, 3, 20, 40)} if config.pooling == "gate" else {}
    wider = Enhancer(config.model_copy(update={"gate": config.gate + 3, **frames})).eval()
    wider.load_state_dict(start_weights(network, wider, strongest_first=True))
    with torch.no_grad():
        before, after = network(features), wider(features)
    torch.testing.assert_close(after.scores, before.scores)
    torch.testing.assert_close(after.suppression, before.suppression)
    values = after.values[0][:, config.gate :]
    assert values.max() > 0, "what the new values read is there to be learned from"


def test_a_dense_network_starts_a_dynamic_one(mixer: Mixer, tmp_path: Path) -> None:
    dense = trained_enough(STATIC)
    run = trainer(SHAPES[0], mixer, tmp_path)
    run.start_from(dense)
    state = run.network.state_dict()
    assert all(torch.equal(state[name], weights) for name, weights in dense.state_dict().items())
    assert run.network.eval()(torch.rand(1, BINS, 30)).utilization.min() > 0.9, "gates begin mostly open"


def test_a_narrower_network_starts_a_wider_one(mixer: Mixer, tmp_path: Path) -> None:
    run, narrow = trainer(SHAPES[1].model_copy(update={"hidden": 40}), mixer, tmp_path), trained_enough(SHAPES[1])
    run.start_from(narrow)
    features = torch.rand(1, BINS, 30)
    with torch.no_grad():
        torch.testing.assert_close(run.network.eval()(features).suppression, narrow(features).suppression)


def test_a_wider_network_starts_a_narrower_one(mixer: Mixer, tmp_path: Path) -> None:
    run, wide = trainer(SHAPES[1].model_copy(update={"hidden": 20}), mixer, tmp_path), half_dead(SHAPES[1])
    run.start_from(wide)
    wanted = narrowed(wide, 20).state_dict()
    assert all(torch.equal(weights, wanted[name]) for name, weights in run.network.state_dict().items())


@pytest.mark.parametrize("config", [SHAPES[1], STATIC], ids=lambda c: c.gate_site)
def test_the_strongest_channels_may_come_first(config: NetworkConfig) -> None:
    network, features = half_dead(config), torch.rand(2, BINS, 30)
    ordered = narrowed(network, config.hidden, strongest_first=True)
    for block in ordered.blocks:
        carried = block.project.weight[..., 0].norm(dim=0)
        assert carried[: config.hidden // 2].min() > 0
    with torch.no_grad():
        torch.testing.assert_close(ordered(features).suppression, network(features).suppression, atol=1e-5, rtol=1e-4)
    narrow = narrowed(network, config.hidden // 2).state_dict()["blocks.0.expand.weight"]
    first = ordered.state_dict()["blocks.0.expand.weight"][: config.hidden // 2]
    assert sorted(first[..., 0].tolist()) == sorted(narrow[..., 0].tolist())


@pytest.mark.parametrize(("start", "ordered"), [(STATIC, True), (SHAPES[1], False)], ids=["gates anew", "gates kept"])
def test_open_channels_are_the_strongest(start: NetworkConfig, ordered: bool, mixer: Mixer, tmp_path: Path) -> None:
    run, network = trainer(SHAPES[1], mixer, tmp_path, open_channels=2), half_dead(start)
    run.start_from(network)
    wanted = narrowed(network, network.config.hidden, strongest_first=True) if ordered else network
    name = "blocks.1.project.weight"
    assert torch.equal(run.network.state_dict()[name], wanted.state_dict()[name])


def test_a_network_on_bins_starts_one_on_bands(mixer: Mixer, tmp_path: Path) -> None:
    bands = (0, 1, 2, 4, 8, 16, 64, BINS)
    run, whole = trainer(STATIC.model_copy(update={"bands": bands}), mixer, tmp_path), trained_enough(STATIC)
    run.start_from(whole)
    widths = torch.tensor([end - first for first, end in pairwise(bands)])
    # Where all bins of a band are alike, the front sees what it saw.
    features = torch.rand(1, len(widths), 9)
    spread = features.repeat_interleave(widths, dim=1)
    network = run.network.eval()
    with torch.no_grad():
        torch.testing.assert_close(network.front(features), whole.front(spread), atol=1e-4, rtol=1e-4)
        logits = torch.logit(network(features).suppression)
        wanted = [part.mean(1) for part in whole.back(torch.zeros(1, 16, 9)).split(widths.tolist(), 1)]
        assert logits.shape == (1, BINS, 9)
        torch.testing.assert_close(network.back(torch.zeros(1, 16, 9)), torch.stack(wanted, 1))


@pytest.mark.parametrize("change", [{"channels": 12}, {"stacks": 2}, {"dilations": (1,)}])
def test_other_shapes_are_refused(change: dict[str, object], mixer: Mixer, tmp_path: Path) -> None:
    run = trainer(SHAPES[0].model_copy(update=change), mixer, tmp_path)
    with pytest.raises(CheckpointError, match="does not fit the configuration"):
        run.start_from(trained_enough(SHAPES[0]))


def test_a_static_network_trains_and_reports_no_utilization(mixer: Mixer, tmp_path: Path) -> None:
    seen: list[Progress] = []
    run = trainer(STATIC, mixer, tmp_path)
    before = run.network.front.weight.clone()
    run.run(seen.append, workers=0)
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.manifest.utilization == ()
    assert [p.utilization for p in seen] == [1.0, 1.0]
    assert not torch.equal(checkpoint.network.front.weight, before)
