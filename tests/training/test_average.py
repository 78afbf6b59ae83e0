# SPDX-License-Identifier: Apache-2.0
"""Averaged weights: what they are, that they are what is written, and that a resumed run has the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sounds import small_corpus
from torch import nn

from dyncp.base.config.experiment import Config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.fitting.average import WeightAverage, renew_statistics
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Mixer
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.network.checkpoint import load_checkpoint

NETWORK = NetworkConfig(channels=12, hidden=16, stacks=1, dilations=(1, 2), gate=4, pooling_frames=5)


def experiment(epochs: int, decay: float = 0.9) -> Config:
    training = TrainingConfig(batch=2, epochs=epochs, steps_per_epoch=6, average_decay=decay)
    return Config(network=NETWORK, mixing=MixingConfig(clip_s=0.5), training=training)


@pytest.fixture(scope="module")
def mixers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mixer, Mixer]:
    return load_mixers(load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c")), experiment(1))


def test_the_average_follows_the_weights() -> None:
    network = nn.Linear(2, 1, bias=False)
    average, weights = WeightAverage(network, 0.5), [network.weight.detach().clone()]
    expected = weights[0]
    for step, decay in enumerate([0.1, 2 / 11, 0.25, 4 / 13, 5 / 14, 0.4, 7 / 16, 8 / 17, 0.5, 0.5, 0.5]):
        with torch.no_grad():
            network.weight += 1
        average.update(step)
        expected = decay * expected + (1 - decay) * network.weight.detach()
    torch.testing.assert_close(average.tensors["weight"], expected)
    own = network.weight.detach().clone()
    with average.in_place():
        torch.testing.assert_close(network.weight.detach(), expected)
    assert torch.equal(network.weight, own)


def test_statistics_are_those_of_all_inputs() -> None:
    norm, inputs = nn.BatchNorm1d(3), [torch.randn(4, 3, 50) * 2 + 1 for _ in range(5)]
    norm.eval()
    renew_statistics(norm, inputs)
    together = torch.cat(inputs)
    torch.testing.assert_close(norm.running_mean, together.mean((0, 2)))
    torch.testing.assert_close(norm.running_var, torch.stack([x.var((0, 2)) for x in inputs]).mean(0))
    assert norm.momentum == 0.1
    assert not norm.training


def test_what_is_written_is_the_average_and_training_goes_on_with_its_own(
    mixers: tuple[Mixer, Mixer], tmp_path: Path
) -> None:
    averaged = Trainer(experiment(2), *mixers, tmp_path / "averaged")
    averaged.run(lambda _: None, workers=0)
    plain = Trainer(experiment(2, decay=0.0), *mixers, tmp_path / "plain")
    plain.run(lambda _: None, workers=0)
    own, last = averaged.network.state_dict(), plain.network.state_dict()
    assert all(torch.equal(own[name], last[name]) for name in last)
    written = load_checkpoint(tmp_path / "averaged").network.state_dict()
    assert averaged.average is not None
    assert all(torch.equal(written[name], weight) for name, weight in averaged.average.tensors.items())
    assert not torch.equal(written["front.weight"], last["front.weight"])
    assert not torch.equal(written["blocks.0.expand_norm.running_mean"], last["blocks.0.expand_norm.running_mean"])


def test_a_killed_run_resumes_to_the_same_average(mixers: tuple[Mixer, Mixer], tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill_in_epoch_two(progress: Progress) -> None:
        if progress.step == 9:
            raise Killed

    Trainer(experiment(2), *mixers, tmp_path / "whole").run(lambda _: None, workers=0)
    with pytest.raises(Killed):
        Trainer(experiment(2), *mixers, tmp_path / "killed").run(kill_in_epoch_two, workers=0)
    again = Trainer(experiment(2), *mixers, tmp_path / "killed")
    assert again.resume() == 1
    again.run(lambda _: None, workers=0)
    whole, resumed = (load_checkpoint(tmp_path / name).network.state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
