# SPDX-License-Identifier: Apache-2.0
"""When training ends and which epoch its checkpoint is: more epochs on resuming, patience, the best by validation."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import tomli_w
import torch
from sounds import small_corpus

from dyncp.base.config.experiment import Config, with_epochs
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import CheckpointError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.course import Course
from dyncp.train.fitting.schedule import has_settled, learning_rate, target_utilization
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Mixer
from dyncp.train.network.checkpoint import load_checkpoint, read_manifest
from dyncp.train.network.resume_file import Resumable, read_resume, write_resume

TINY = NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1,), gate=2, pooling_frames=4)
STEPS = 2


@pytest.fixture(scope="module")
def mixer(tmp_path_factory: pytest.TempPathFactory) -> Mixer:
    part = load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c", speakers=1, frames=100)).split("train")
    return Mixer(read_all(part.speech), read_all(part.noise), MixingConfig(clip_s=0.5))


def experiment(epochs: int, **changes: object) -> Config:
    training = {"batch": 1, "epochs": epochs, "steps_per_epoch": STEPS} | changes
    return Config(network=TINY, training=TrainingConfig.model_validate(training))


class Watched(Trainer):
    """Keeps the objective of every epoch it validates."""

    def run(self, observer: object = None, workers: int = 0) -> None:
        self.objectives: dict[int, float] = {}

        def observe(progress: Progress) -> None:
            if progress.validation_loss is not None:
                self.objectives[progress.epoch] = self.validate(progress.step - 1).objective

        super().run(observe, workers)


# Weights that swing so far that one epoch is better than the next only by chance.
RESTLESS = {"learning_rate": 0.3, "final_learning_rate": 0.3, "utilization_ramp": 0.25}


def test_a_finished_run_goes_on_as_if_it_had_been_asked_for_more(mixer: Mixer, tmp_path: Path) -> None:
    first = Trainer(experiment(2), mixer, mixer, tmp_path)
    first.run(lambda _: None, workers=0)
    longer = experiment(4)
    again, rates, wanted = Trainer(longer, mixer, mixer, tmp_path), list[float](), list[float]()
    assert again.resume(other_epochs=True) == 2
    assert all(torch.equal(a, b) for a, b in zip(again.network.parameters(), first.network.parameters(), strict=True))

    def observe(progress: Progress) -> None:
        rates.append(again.optimizer.param_groups[0]["lr"])
        wanted.append(progress.target_utilization)

    again.run(observe, workers=0)
    assert rates == [learning_rate(longer.training, step) for step in range(4, 8)]
    assert wanted == [target_utilization(longer.training, step) for step in range(4, 8)]
    assert rates[0] > learning_rate(experiment(2).training, 3)
    checkpoint = load_checkpoint(tmp_path)
    assert (checkpoint.manifest.epoch, checkpoint.config.training.epochs) == (4, 4)
    # The folder's own configuration is now that of the longer run.
    assert Trainer(checkpoint.config, mixer, mixer, tmp_path).resume() == 4


def test_only_the_epochs_may_differ_and_none_that_is_done_is_undone(mixer: Mixer, tmp_path: Path) -> None:
    Trainer(experiment(2), mixer, mixer, tmp_path).run(lambda _: None, workers=0)
    with pytest.raises(CheckpointError, match="another configuration"):
        Trainer(experiment(4), mixer, mixer, tmp_path).resume()
    with pytest.raises(CheckpointError, match="another configuration"):
        Trainer(experiment(4, seed=2), mixer, mixer, tmp_path).resume(other_epochs=True)
    with pytest.raises(CheckpointError, match=r"resume\.safetensors: 2 epochs are finished already"):
        Trainer(experiment(1), mixer, mixer, tmp_path).resume(other_epochs=True)


def test_tensors_of_another_network_are_refused(mixer: Mixer, tmp_path: Path) -> None:
    Trainer(experiment(1), mixer, mixer, tmp_path).run(lambda _: None, workers=0)
    found = read_resume(tmp_path)
    for name in ("network.back.bias", "optimizer.0.exp_avg"):
        others = {key: tensor for key, tensor in found.tensors.items() if key != name}
        write_resume(tmp_path, Resumable(1, found.config, {**others, f"{name}.x": torch.zeros(1)}))
        with pytest.raises(CheckpointError, match=r"resume\.safetensors: does not fit its own configuration"):
            Trainer(experiment(1), mixer, mixer, tmp_path).resume()


def test_the_best_epoch_is_kept_and_patience_ends_the_run(mixer: Mixer, tmp_path: Path) -> None:
    config = experiment(40, patience=3, keep_best=True, **RESTLESS)
    run = Watched(config, mixer, mixer, tmp_path)
    run.run()
    # The target falls for 10 epochs, in which none counts.
    counted = {epoch: objective for epoch, objective in run.objectives.items() if epoch > 10}
    best = min(counted, key=lambda epoch: counted[epoch])
    assert run.stopped_early
    assert list(run.objectives) == list(range(1, best + 4))
    assert best + 3 < 40
    assert read_manifest(tmp_path).epoch == best
    resumable = read_resume(tmp_path)
    assert (resumable.epoch, resumable.best) == (best + 3, run.course.best)
    assert resumable.best is not None
    assert (resumable.best.epoch, resumable.best.objective) == (best, counted[best])
    again = Watched(config, mixer, mixer, tmp_path)
    again.resume()
    again.run()
    assert again.objectives == {}
    assert read_manifest(tmp_path).epoch == best


def test_a_stopped_run_remembers_its_best_epoch(mixer: Mixer, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.epoch == 7:
            raise Stopped

    config = experiment(9, keep_best=True, **RESTLESS)
    Trainer(config, mixer, mixer, tmp_path / "whole").run(lambda _: None, workers=0)
    with pytest.raises(Stopped):
        Trainer(config, mixer, mixer, tmp_path / "stopped").run(stop, workers=0)
    again = Trainer(config, mixer, mixer, tmp_path / "stopped")
    again.resume()
    again.run(lambda _: None, workers=0)
    whole, stopped = (load_checkpoint(tmp_path / name) for name in ("whole", "stopped"))
    assert whole.manifest == stopped.manifest
    assert whole.manifest.epoch < 9
    assert read_resume(tmp_path / "stopped").best == read_resume(tmp_path / "whole").best


def test_without_either_the_last_epoch_is_kept(mixer: Mixer, tmp_path: Path) -> None:
    run = Watched(experiment(9, **RESTLESS), mixer, mixer, tmp_path)
    run.run()
    assert not run.stopped_early
    assert read_manifest(tmp_path).epoch == 9
    assert min(run.objectives, key=lambda epoch: run.objectives[epoch]) < 9


def test_while_the_target_falls_no_epoch_is_the_best() -> None:
    course = Course(TrainingConfig(patience=2, keep_best=True))
    assert [course.note(epoch, 0.1, settled=False) for epoch in (1, 2, 3)] == [True, True, True]
    assert not course.is_over(3)
    found = [
        (course.note(epoch, objective, True), course.is_over(epoch))
        for epoch, objective in enumerate((0.5, 0.5, 0.4, 0.6, 0.4), start=4)
    ]
    assert found == [(True, False), (False, False), (True, False), (False, False), (False, True)]
    training = TrainingConfig(epochs=10, steps_per_epoch=10, utilization_ramp=0.3)
    assert next(step for step in range(100) if has_settled(training, step)) == 30
    assert target_utilization(training, 30) == training.target_utilization


def test_more_epochs_while_the_target_falls_again_forget_the_best(mixer: Mixer, tmp_path: Path) -> None:
    Trainer(experiment(2, keep_best=True, utilization_ramp=0.5), mixer, mixer, tmp_path).run(lambda _: None, workers=0)
    assert read_resume(tmp_path).best is not None
    again = Trainer(experiment(8, keep_best=True, utilization_ramp=0.5), mixer, mixer, tmp_path)
    again.resume(other_epochs=True)
    assert again.course.best is None


def test_files_of_earlier_trainings_stay_what_they_were() -> None:
    """Options that came later are not written at their defaults; at others they are, and read back."""
    assert not {"patience", "keep_best"} & Config().model_dump()["training"].keys()
    changed = Config(training=TrainingConfig(patience=5, keep_best=True))
    read = tomllib.loads(tomli_w.dumps(changed.model_dump(exclude_none=True)))
    assert (read["training"]["patience"], read["training"]["keep_best"]) == (5, True)
    assert Config.model_validate(read) == changed


def test_the_number_of_epochs_alone_is_replaced() -> None:
    config = experiment(3)
    assert with_epochs(config, None) == config
    assert with_epochs(config, 7) == experiment(7)
