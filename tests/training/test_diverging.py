# SPDX-License-Identifier: Apache-2.0
"""A training that diverges stops at the first number that is not finite, says where, and leaves its files alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from sounds import small_corpus

from dyncp.base.config.experiment import Config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import CheckpointError, DivergenceError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.divergence import largest
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Clip, Mixer
from dyncp.train.network.checkpoint import load_checkpoint, read_files, write_checkpoint, write_files
from dyncp.train.network.resume_file import read_resume

TINY = NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1,), gate=2, pooling_frames=4)
STEPS = 2

Files = dict[str, bytes]
Harm = Callable[[Trainer], None]


@pytest.fixture(scope="module")
def mixer(tmp_path_factory: pytest.TempPathFactory) -> Mixer:
    part = load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c", speakers=1, frames=100)).split("train")
    return Mixer(read_all(part.speech), read_all(part.noise), MixingConfig(clip_s=0.5))


def experiment(**changes: object) -> Config:
    training = {"batch": 2, "epochs": 3, "steps_per_epoch": STEPS, "warmup": 0} | changes
    return Config(network=TINY, training=TrainingConfig.model_validate(training))


def files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def train_until_it_diverges(trainer: Trainer, harm: Harm = lambda _: None) -> tuple[str, Files]:
    """The error, and the files after the last epoch that was finished; `harm` is done in the middle of epoch 2."""
    finished: Files = {}

    def observe(progress: Progress) -> None:
        if progress.validation_loss is not None:
            finished.clear()
            finished.update(files(trainer.folder))
        if progress.step == STEPS + 1:
            harm(trainer)

    with pytest.raises(DivergenceError) as raised:
        trainer.run(observe, workers=0)
    return str(raised.value), finished


def raise_rate(trainer: Trainer) -> None:
    trainer.config = experiment(learning_rate=1e30, final_learning_rate=1e30)


def test_a_learning_rate_that_rises_too_far_costs_no_finished_epoch(mixer: Mixer, tmp_path: Path) -> None:
    told, finished = train_until_it_diverges(Trainer(experiment(), mixer, mixer, tmp_path), raise_rate)
    assert told.startswith("epoch 2, step 2 of 2: the validation loss is ")
    assert "a learning rate that is too high (training.learning_rate, final_learning_rate; 1e+30 at this step)" in told
    assert f"--start {tmp_path}" in told
    assert load_checkpoint(tmp_path).manifest.epoch == 1
    assert finished == files(tmp_path)
    assert all(t.isfinite().all() for t in read_resume(tmp_path).tensors.values())
    assert Trainer(experiment(), mixer, mixer, tmp_path).resume() == 1


def test_before_the_first_epoch_nothing_is_written(mixer: Mixer, tmp_path: Path) -> None:
    trainer = Trainer(experiment(learning_rate=1e30, weight_decay=1e6), mixer, mixer, tmp_path)
    with torch.no_grad():
        trainer.network.back.bias[0] = 1e4
    told, _ = train_until_it_diverges(trainer)
    assert told.startswith("epoch 1, step 1 of 2: the largest weight is inf")
    assert "nothing has been written" in told
    assert files(tmp_path) == {}


def break_gradient(trainer: Trainer) -> None:
    trainer.network.front.weight.register_hook(lambda gradient: gradient * math.inf)


def break_loss(trainer: Trainer) -> None:
    with torch.no_grad():
        trainer.network.back.weight.fill_(math.nan)


def break_statistics(trainer: Trainer) -> None:
    """What no loss tells: a channel of infinite variance is silent."""
    norms = [module for module in trainer.network.modules() if isinstance(module, torch.nn.BatchNorm1d)]
    assert norms[0].running_var is not None
    norms[0].running_var[0] = math.inf


def break_average(trainer: Trainer) -> None:
    assert trainer.average is not None
    trainer.average.tensors["front.weight"][0, 0] = math.inf


def break_moment(trainer: Trainer) -> None:
    trainer.optimizer.state[trainer.network.front.weight]["exp_avg_sq"][0, 0] = math.inf


@pytest.mark.parametrize(
    ("harm", "decay", "told"),
    [
        (break_loss, 0.0, "the loss is nan"),
        (break_gradient, 0.0, "the norm of the gradient is "),
        (break_statistics, 0.0, "the largest of what is resumed from is inf"),
        (break_average, 0.9, "the largest of what is resumed from is inf"),
        (break_moment, 0.0, "the largest of what is resumed from is inf"),
    ],
)
def test_whatever_breaks_the_files_of_the_last_epoch_stay(
    mixer: Mixer, tmp_path: Path, harm: Harm, decay: float, told: str
) -> None:
    trainer = Trainer(experiment(average_decay=decay), mixer, mixer, tmp_path)
    found, finished = train_until_it_diverges(trainer, harm)
    assert found.startswith(f"epoch 2, step 2 of 2: {told}")
    assert finished == files(tmp_path)
    assert finished.keys() == {"checkpoint.json", "config.toml", "network.safetensors", "resume.safetensors"}
    assert load_checkpoint(tmp_path).manifest.epoch == read_resume(tmp_path).epoch == 1


def test_statistics_for_the_average_are_watched_too(mixer: Mixer, tmp_path: Path) -> None:
    """They are taken anew for it, from clips of their own: here from one that the batches did not have."""
    trainer = Trainer(experiment(average_decay=0.9), mixer, mixer, tmp_path)

    def harm(trainer: Trainer) -> None:
        trainer._statistics_inputs[0][:] = math.inf

    found, finished = train_until_it_diverges(trainer, harm)
    assert found.startswith("epoch 2, step 2 of 2: the validation loss is nan")
    assert finished == files(tmp_path)


class Poisoned(Mixer):
    """Its clips hold what no recording should."""

    def clip(self, rng: np.random.Generator) -> Clip:
        clip = super().clip(rng)
        clip.noisy[100] = np.nan
        return clip


def test_audio_that_is_not_finite_is_named_with_its_batch(mixer: Mixer, tmp_path: Path) -> None:
    poisoned = Poisoned(mixer.speech, mixer.noise, mixer.config)
    told, _ = train_until_it_diverges(Trainer(experiment(seed=7), poisoned, mixer, tmp_path))
    assert told.startswith("epoch 1, step 1 of 2: the loss is nan")
    assert "audio that is not finite, in batch 0 of seed 7" in told


def test_reduced_precision_and_the_weights_of_losses_are_named(mixer: Mixer, tmp_path: Path) -> None:
    config = experiment(precision="bfloat16", perceptual_weight=0.1)
    told, _ = train_until_it_diverges(Trainer(config, mixer, mixer, tmp_path), break_loss)
    assert "training.precision is bfloat16; try float32" in told
    assert "training.utilization_weight, perceptual_weight" in told


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_are_neither_written_nor_read(mixer: Mixer, tmp_path: Path, value: float) -> None:
    network = Trainer(experiment(), mixer, mixer, tmp_path).network
    write_checkpoint(tmp_path, network, experiment(), 1, [0.5], 0.1)
    before = files(tmp_path)
    assert torch.isfinite(largest(network.state_dict().values()))
    with torch.no_grad():
        network.back.bias[0] = value
    assert not torch.isfinite(largest(network.state_dict().values()))
    with pytest.raises(CheckpointError, match=r"network\.safetensors: back\.bias holds numbers that are not finite"):
        write_checkpoint(tmp_path, network, experiment(), 2, [0.5], 0.1)
    assert files(tmp_path) == before
    manifest, contents = read_files(tmp_path)
    data = safetensors.torch.save({k: v.contiguous() for k, v in network.state_dict().items()})
    write_files(tmp_path, manifest, {**contents, "network.safetensors": data})
    with pytest.raises(CheckpointError, match=r"network\.safetensors: back\.bias holds numbers that are not finite"):
        load_checkpoint(tmp_path)
