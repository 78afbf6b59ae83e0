# SPDX-License-Identifier: Apache-2.0
"""Quantization-aware training: it goes on from a network, resumes exactly, and leaves scales that export uses."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from networks import SHAPES, STATIC, trained_enough
from signals import speech_like
from sounds import small_corpus

from dyncp.base.config.experiment import Config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import CheckpointError, DivergenceError, QuantizationError
from dyncp.export.integer_training.qat import IntegerTrainer
from dyncp.export.integers.reference import run as run_reference
from dyncp.export.quantization.fold import fold
from dyncp.export.quantization.quantize import quantize_trained
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Batch, Mixer
from dyncp.train.network.checkpoint import load_checkpoint, read_files, write_files

pytestmark = pytest.mark.slow

CALIBRATION = [speech_like(100, seed=1)]
START = trained_enough(SHAPES[0])
Mixers = tuple[Mixer, Mixer]


@pytest.fixture(scope="module")
def mixers(tmp_path_factory: pytest.TempPathFactory) -> Mixers:
    corpus = load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c", speakers=1, frames=100))
    parts = [corpus.split("train"), corpus.split("validation")]
    train, validation = (Mixer(read_all(p.speech), read_all(p.noise), MixingConfig(clip_s=0.5)) for p in parts)
    return train, validation


def experiment(network: NetworkConfig = SHAPES[0], epochs: int = 2, steps: int = 4, **changes: object) -> Config:
    settings = {"batch": 2, "epochs": epochs, "steps_per_epoch": steps, "utilization_weight": 0.0}
    return Config(network=network, training=TrainingConfig.model_validate(settings | changes))


def trainer(config: Config, mixers: Mixers, folder: Path) -> IntegerTrainer:
    return IntegerTrainer(config, *mixers, folder, START, CALIBRATION)


def ignored(_: Progress) -> None:
    pass


def alter_scales(folder: Path, changes: dict[str, float | str | None]) -> None:
    """Scales as another program may write them, None for one that is missing, under a hash that fits."""
    manifest, contents = read_files(folder)
    scales = json.loads(contents["scales.json"]) | changes
    text = json.dumps({name: scale for name, scale in scales.items() if scale is not None})
    write_files(folder, manifest, {**contents, "scales.json": text.encode()})


@pytest.fixture(scope="module")
def finished(mixers: Mixers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    trainer(experiment(epochs=1, steps=1), mixers, folder).run(ignored, workers=0)
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def loss_of(trainer: Trainer, batch: Batch) -> float:
    trainer.network.eval()
    with torch.no_grad():
        return float(trainer.loss(batch)[0])


def test_training_through_integers_lowers_the_loss(mixers: Mixers, tmp_path: Path) -> None:
    run, batch = trainer(experiment(steps=12, learning_rate=3e-3), mixers, tmp_path), mixers[0].batch(6, (7, 0))
    before = loss_of(run, batch)
    run.run(ignored, workers=0)
    assert loss_of(run, batch) < before


def test_the_checkpoint_becomes_the_integers_that_were_trained(mixers: Mixers, tmp_path: Path) -> None:
    run = trainer(experiment(), mixers, tmp_path)
    run.run(ignored, workers=0)
    checkpoint = load_checkpoint(tmp_path)
    data = (tmp_path / "scales.json").read_bytes()
    assert checkpoint.manifest.files["scales.json"] == hashlib.sha256(data).hexdigest()
    assert checkpoint.scales == run.scales == json.loads(data)
    bundle = quantize_trained(fold(checkpoint), checkpoint.scales)
    assert bundle.sources == {"checkpoint": checkpoint.sha256}
    batch = mixers[0].batch(2, (7, 0))
    with torch.no_grad():
        gates = run.loss(batch)[1].masks
    for noisy, trained in zip(batch.noisy, gates, strict=True):
        pcm = (noisy * 32768).round().clamp(-32768, 32767).short().numpy()
        assert trained.sum(dim=(0, 1)).tolist() == run_reference(bundle, pcm).active.tolist()


def test_batch_norms_statistics_stay(finished: Path) -> None:
    state, start = load_checkpoint(finished).network.state_dict(), START.state_dict()
    assert all(torch.equal(state[name], start[name]) for name in start if "running" in name)
    assert not torch.equal(state["front.weight"], start["front.weight"])


def test_a_stopped_run_resumes_to_the_same_weights(mixers: Mixers, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop_in_epoch_two(progress: Progress) -> None:
        if progress.step == 6:
            raise Stopped

    trainer(experiment(), mixers, tmp_path / "whole").run(ignored, workers=0)
    with pytest.raises(Stopped):
        trainer(experiment(), mixers, tmp_path / "stopped").run(stop_in_epoch_two, workers=0)
    # As the command does: what it starts from is the folder's own checkpoint, whose weights give other scales.
    network = load_checkpoint(tmp_path / "stopped").network
    again = IntegerTrainer(experiment(), *mixers, tmp_path / "stopped", network, CALIBRATION)
    assert again.resume() == 1
    again.run(ignored, workers=0)
    whole, resumed = (load_checkpoint(tmp_path / name) for name in ("whole", "stopped"))
    assert whole.scales == resumed.scales
    assert whole.manifest.files == resumed.manifest.files


def test_weights_that_outgrow_their_scales_stop_it_and_cost_no_epoch(mixers: Mixers, tmp_path: Path) -> None:
    run, finished = trainer(experiment(), mixers, tmp_path), dict[str, bytes]()

    def observe(progress: Progress) -> None:
        if progress.validation_loss is not None:
            finished.update({path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()})
            run.config = experiment(learning_rate=1e3, final_learning_rate=1e3)

    with pytest.raises(DivergenceError, match=r"^epoch 2, step 2 of 4: the integers hold the weights no more") as told:
        run.run(observe, workers=0)
    assert "training.learning_rate, final_learning_rate; 1e+03 at this step" in str(told.value)
    assert finished == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.scales is not None
    quantize_trained(fold(checkpoint), checkpoint.scales)
    assert trainer(experiment(), mixers, tmp_path).resume() == 1


def test_a_float_run_is_not_resumed_through_integers(mixers: Mixers, tmp_path: Path) -> None:
    config = experiment(epochs=1, steps=1)
    Trainer(config, *mixers, tmp_path).run(ignored, workers=0)
    with pytest.raises(CheckpointError, match="leave out --integers"):
        trainer(config, mixers, tmp_path).resume()


def test_an_integer_run_is_not_resumed_in_float(mixers: Mixers, finished: Path) -> None:
    with pytest.raises(CheckpointError, match="resume with --integers"):
        Trainer(experiment(epochs=1, steps=1), *mixers, finished).resume()


@pytest.mark.parametrize(
    "config",
    [
        SHAPES[1].model_copy(update={"hidden": 20, "gate": 3}),
        SHAPES[0].model_copy(update={"pooling_frames": 9}),
        SHAPES[2],
        STATIC,
    ],
)
def test_scales_are_those_of_the_network_that_is_trained(config: NetworkConfig, mixers: Mixers, tmp_path: Path) -> None:
    """Not of the one it starts from, which is wider, or has no gates, others, or another pooling."""
    run = trainer(experiment(config, epochs=1, steps=1), mixers, tmp_path)
    run.run(ignored, workers=0)
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.scales is not None
    assert quantize_trained(fold(checkpoint), checkpoint.scales).config == config
    if config.pooling == "window" and config.gated:
        pooled = checkpoint.scales["blocks.0.input"] / config.pooling_frames
        assert checkpoint.scales["blocks.0.pool"] == pytest.approx(pooled)


@pytest.mark.parametrize(
    ("scale", "complaint"),
    [
        *((scale, "must map names to positive, finite numbers.*expand") for scale in (0.0, -1.0, "wide")),
        *((float(scale), "not valid JSON: .* is no number of JSON") for scale in ("nan", "inf")),
    ],
)
def test_scales_that_are_not_positive_and_finite_are_refused(copied: Path, scale: float | str, complaint: str) -> None:
    load_checkpoint(copied)
    alter_scales(copied, {"blocks.1.expand": scale})
    with pytest.raises(CheckpointError, match=rf"scales\.json: {complaint}"):
        load_checkpoint(copied)


def test_altered_scales_are_refused(copied: Path) -> None:
    path = copied / "scales.json"
    path.write_text(path.read_text().replace("0.", "1.", 1))
    with pytest.raises(CheckpointError, match=r"scales\.json: differs from the sha256"):
        load_checkpoint(copied)


def test_scales_of_another_network_are_refused(copied: Path) -> None:
    alter_scales(copied, {"blocks.1.gate": None})
    checkpoint = load_checkpoint(copied)
    assert checkpoint.scales is not None
    with pytest.raises(QuantizationError, match=r"scales: blocks\.1\.gate missing"):
        quantize_trained(fold(checkpoint), checkpoint.scales)
