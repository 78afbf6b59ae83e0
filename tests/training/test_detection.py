# SPDX-License-Identifier: Apache-2.0
"""Gates whose values are asked for speech learn to tell it, and learn as much faster as is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from experiments import short
from networks import AVERAGING, FOLLOWING, trained_enough
from sounds import small_corpus, speech_like

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import ConfigError
from dyncp.export.integer_training.qat import IntegerTrainer
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.losses.detection import DetectionReadout, detection_loss
from dyncp.train.mixing.clips import Mixer
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.resume_file import read_resume
from dyncp.train.network.stft import analyse, features

KINDS = ("speech_utilization = 0.8", "rest_utilization = 0.1")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("detection") / "corpus")


@pytest.fixture(scope="module")
def mixers(corpus: Path) -> tuple[Mixer, Mixer]:
    return load_mixers(
        load_corpus([corpus]), Config(training=TrainingConfig(speech_utilization=0.8, rest_utilization=0.1))
    )


def experiment(folder: Path, epochs: int, steps: int, *training: str) -> Config:
    path = folder / "experiment.toml"
    path.write_text(short(epochs, steps, *KINDS, *training))
    return load_config(path)


@pytest.mark.parametrize("config", [FOLLOWING[3], *AVERAGING], ids=str)
def test_the_values_are_those_of_the_decisions(config: NetworkConfig) -> None:
    network, features = trained_enough(config), torch.rand(2, config.spectrum, 25)
    with torch.no_grad():
        output = network(features)
        for gate, values in zip(network.gates, output.values, strict=True):
            first = gate.group % config.gate_period
            scores = gate.score(values).view(2, config.blocks_per_gate, config.gated, -1)
            blocks = slice(gate.group * gate.blocks, (gate.group + 1) * gate.blocks)
            torch.testing.assert_close(scores, output.scores[:, blocks, :, first :: config.gate_period])


def test_the_loss_is_of_the_frames_of_decisions() -> None:
    """Three gates that decide every second frame: the log-odds of each meet the speech of its own frames."""
    speech = torch.tensor([[True, False] * 4, [True] * 8])
    sure = 30.0
    words = [torch.tensor([[1.0] * 4, [1.0] * 4]), torch.tensor([[-1.0] * 4, [1.0] * 4]), torch.ones(2, 4)]
    assert detection_loss([sure * word for word in words], speech, 2) < 1e-6
    wrong = detection_loss([sure * words[0], -sure * words[1], sure * words[2]], speech, 2)
    torch.testing.assert_close(wrong, torch.tensor(sure))


@pytest.mark.parametrize("network", [FOLLOWING[3], AVERAGING[1]], ids=["ema", "gate"])
def test_gates_learn_to_hear_speech(network: NetworkConfig, mixers: tuple[Mixer, Mixer]) -> None:
    """By this loss alone, whose gradient ends at the residual where `gate_gradient` says so."""
    torch.manual_seed(0)
    enhancer, readout = Enhancer(network), DetectionReadout(network)
    batch = mixers[0].batch(8, (1, 0))
    assert batch.speech is not None
    heard = features(analyse(batch.noisy), network.bands)
    learned = [*readout.parameters(), *(p for gate in enhancer.gates for p in gate.parameters())]
    optimizer = torch.optim.Adam(learned, lr=0.01)
    losses = []
    for gate in enhancer.gates:
        gate.gradient = 0.0
    for _ in range(150):
        optimizer.zero_grad()
        loss = detection_loss(readout(enhancer(heard).values), batch.speech, network.gate_period)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert enhancer.front.weight.grad is None or not enhancer.front.weight.grad.any()
    assert all(gate.reduce.weight.grad.any() for gate in enhancer.gates)
    assert losses[-1] < 0.7 * losses[0]


def test_gates_learn_faster(tmp_path: Path, mixers: tuple[Mixer, Mixer]) -> None:
    config = experiment(tmp_path, 1, 2, "detection_weight = 1.0", "gate_rate = 4.0", "learning_rate = 1e-3")
    trainer = Trainer(config, *mixers, tmp_path / "run")
    others, gates = trainer.optimizer.param_groups
    trainer.run(lambda _: None, workers=0)
    assert gates["lr"] == 4 * others["lr"]
    mine = {id(parameter) for parameter in gates["params"]}
    wanted = [p for name, p in trainer.network.named_parameters() if ".gate." in name]
    assert trainer.detection is not None
    assert mine == {id(p) for p in [*wanted, *trainer.detection.parameters()]}
    assert len(mine) + len(others["params"]) == len(trainer._learned)


def test_a_training_resumes_with_its_readouts(tmp_path: Path, mixers: tuple[Mixer, Mixer]) -> None:
    lines = ("detection_weight = 1.0", "gate_rate = 4.0")
    config, whole = experiment(tmp_path, 2, 2, *lines), tmp_path / "whole"
    Trainer(config, *mixers, whole).run(lambda _: None, workers=0)
    stopped = Trainer(config, *mixers, tmp_path / "parts")

    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.epoch == 1:
            raise Stop

    with pytest.raises(Stop):
        stopped.run(stop, workers=0)
    again = Trainer(config, *mixers, tmp_path / "parts")
    assert again.resume() == 1
    again.run(lambda _: None, workers=0)
    expected, found = (read_resume(folder).tensors for folder in (whole, tmp_path / "parts"))
    assert "detection.linear.0.weight" in expected
    torch.testing.assert_close(found, expected, atol=0, rtol=0)


def test_the_integers_have_values_too(tmp_path: Path, mixers: tuple[Mixer, Mixer]) -> None:
    """As real numbers, near those of the float network; and their training has the loss."""
    config = experiment(tmp_path, 1, 2, "detection_weight = 1.0")
    start = trained_enough(config.network)
    trainer = IntegerTrainer(config, *mixers, tmp_path / "run", start, [speech_like(120)])
    noisy = mixers[0].batch(1, (5, 0)).noisy
    spectrum = analyse(noisy)
    trainer.network.eval()
    with torch.no_grad():
        integers = trainer.forward(trainer.inputs(noisy, spectrum))[3]
        floats = trainer.network(features(spectrum)).values
    for found, wanted in zip(integers, floats, strict=True):
        assert (found - wanted).abs().mean() < 0.1 * wanted.abs().mean()
    before = trainer.network.blocks[0].gate.reduce.weight.detach().clone()
    trainer.run(lambda _: None, workers=0)
    assert not torch.equal(before, trainer.network.blocks[0].gate.reduce.weight)


def test_it_takes_marks_of_speech(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(short(1, 1, "detection_weight = 1.0"))
    with pytest.raises(ConfigError, match="detection_weight: needs speech_utilization"):
        load_config(path)
