# SPDX-License-Identifier: Apache-2.0
"""Training on a small corpus: it learns, prunes, resumes exactly, and refuses what is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from sounds import small_corpus

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.base.files.sealed import seal
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.schedule import target_utilization
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Batches, Mixer, loader
from dyncp.train.network.checkpoint import load_checkpoint

TINY = NetworkConfig(channels=12, hidden=16, stacks=1, dilations=(1, 2), gate=4, pooling_frames=5)


@pytest.fixture(scope="module")
def mixers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mixer, Mixer]:
    corpus = load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c"))
    mixing = MixingConfig(clip_s=1.0)
    train, validation = corpus.split("train"), corpus.split("validation")
    return (
        Mixer(read_all(train.speech), read_all(train.noise), mixing),
        Mixer(read_all(validation.speech), read_all(validation.noise), mixing),
    )


def experiment(epochs: int, steps: int = 6, **changes: object) -> Config:
    training = TrainingConfig(batch=2, epochs=epochs, steps_per_epoch=steps, utilization_ramp=0.5)
    return Config(network=TINY.model_copy(update=changes), training=training)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(folder).network.state_dict())


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"gate_site": "hidden"}, {"pooling": "ema"}, {"block_cap": 5}])
def test_loss_falls_and_channels_close(mixers: tuple[Mixer, Mixer], tmp_path: Path, changes: dict[str, Any]) -> None:
    seen: list[Progress] = []
    config = experiment(3, steps=50, **changes)
    training = config.training.model_copy(update={"learning_rate": 5e-3, "utilization_weight": 20.0})
    Trainer(config.model_copy(update={"training": training}), *mixers, tmp_path).run(seen.append, workers=0)
    assert [p.step for p in seen] == list(range(1, 151))
    first, last = seen[:20], seen[-20:]
    assert sum(p.loss for p in last) < 0.8 * sum(p.loss for p in first)
    most = config.network.frame_limit / (2 * config.network.gated)
    assert seen[0].utilization > 0.9 * most
    assert max(p.utilization for p in seen) < most + 1e-6
    assert abs(last[-1].utilization - 0.25) < 0.15
    assert load_checkpoint(tmp_path).manifest.epoch == 3
    assert list((tmp_path / "tensorboard").iterdir())


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights(mixers: tuple[Mixer, Mixer], tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill_in_epoch_two(progress: Progress) -> None:
        if progress.step == 9:
            raise Killed

    whole = Trainer(experiment(2), *mixers, tmp_path / "whole")
    whole.run(lambda _: None, workers=0)
    with pytest.raises(Killed):
        Trainer(experiment(2), *mixers, tmp_path / "killed").run(kill_in_epoch_two, workers=0)
    again = Trainer(experiment(2), *mixers, tmp_path / "killed")
    assert again.resume() == 1
    again.run(lambda _: None, workers=0)
    expected, actual = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_batches_do_not_depend_on_the_workers(mixers: tuple[Mixer, Mixer]) -> None:
    alone = list(loader(Batches(mixers[0], 2, seed=3, first=1, last=5), workers=0))
    shared = list(loader(Batches(mixers[0], 2, seed=3, first=1, last=5), workers=2))
    assert len(alone) == 4
    for a, b in zip(alone, shared, strict=True):
        assert torch.equal(a.noisy, b.noisy)
        assert torch.equal(a.clean, b.clean)


def test_mixtures_have_the_asked_level_and_snr(mixers: tuple[Mixer, Mixer]) -> None:
    import numpy as np

    from dyncp.base.audio import active_rms

    config = MixingConfig(clip_s=2, snr_db=(5, 5), level_dbfs=(-30, -30), noise_only=0, second_noise=1)
    mixer = Mixer(mixers[0].speech, mixers[0].noise, config)
    clip = mixer.clip(np.random.default_rng(0))
    assert clip.level == pytest.approx(10 ** (-30 / 20))
    assert active_rms(clip.clean) == pytest.approx(clip.level, rel=1e-3)
    noise_rms = float(np.sqrt(np.mean((clip.noisy - clip.clean) ** 2)))
    assert 20 * np.log10(clip.level / noise_rms) == pytest.approx(5, abs=0.01)


def test_utilization_falls_linearly_to_its_target() -> None:
    config = TrainingConfig(epochs=10, steps_per_epoch=10, utilization_ramp=0.5, target_utilization=0.2)
    assert [target_utilization(config, step) for step in (0, 25, 50, 99)] == pytest.approx([1, 0.6, 0.2, 0.2])


def test_resuming_without_a_run_names_the_file(mixers: tuple[Mixer, Mixer], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"resume\.safetensors"):
        Trainer(experiment(1), *mixers, tmp_path).resume()


def test_resuming_with_another_configuration_is_refused(mixers: tuple[Mixer, Mixer], tmp_path: Path) -> None:
    Trainer(experiment(1, steps=1), *mixers, tmp_path).run(lambda _: None, workers=0)
    with pytest.raises(CheckpointError, match="another configuration"):
        Trainer(experiment(2, steps=1), *mixers, tmp_path).resume()


def test_altered_and_truncated_checkpoints_are_refused(mixers: tuple[Mixer, Mixer], tmp_path: Path) -> None:
    Trainer(experiment(1, steps=1), *mixers, tmp_path).run(lambda _: None, workers=0)
    load_checkpoint(tmp_path)
    network = tmp_path / "network.safetensors"
    intact = network.read_bytes()
    for broken in (intact[:-100], intact[:-1] + bytes([intact[-1] ^ 1]), b""):
        network.write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"network\.safetensors"):
            load_checkpoint(tmp_path)
    network.write_bytes(intact)
    manifest = json.loads((tmp_path / "checkpoint.json").read_text())
    del manifest["seal"]
    for field, value in (("schema_version", 1), ("surprise", 1)):
        (tmp_path / "checkpoint.json").write_bytes(seal({**manifest, field: value}))
        with pytest.raises(CheckpointError, match=rf"checkpoint\.json: {field}"):
            load_checkpoint(tmp_path)
    network.unlink()
    (tmp_path / "checkpoint.json").write_bytes(seal(manifest))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[network]\nchannels = 2\n", r"network\.channels"),
        ("[network]\nwidth = 128\n", r"network\.width"),
        ("[training]\nbatch = 'many'\n", r"training\.batch"),
        ("[mixing]\nsnr_db = [20, 0]\n", "lower end"),
        ("[network\n", "not valid TOML"),
    ],
)
def test_bad_configuration_names_file_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"bad\.toml: .*{complaint}"):
        load_config(str(path))


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="presets are day100, day70, delay16, delay32, delay4, delay8, ears"):
        load_config("papyrus")
