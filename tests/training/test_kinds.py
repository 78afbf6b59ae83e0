# SPDX-License-Identifier: Apache-2.0
"""Targets by kind of frame: which frames are near speech, what is asked of them, and what training makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from sounds import small_corpus
from torch import Tensor

from dyncp.base.config.experiment import Config
from dyncp.base.config.framing import HOP
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import parse
from dyncp.base.config.training import ByKind, TrainingConfig
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.losses.kinds import block_work, frame_loss, kind_loss, shares, work
from dyncp.train.mixing.clips import Mixer
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.network.checkpoint import load_checkpoint
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.gate import Gate
from dyncp.train.targets.frames import near_speech, voice_activity

NETWORK = NetworkConfig(
    channels=12,
    hidden=16,
    stacks=1,
    dilations=(1, 2),
    gate=4,
    gate_site="hidden",
    gate_period=2,
    pooling="ema",
    pooling_frames=3,
    bands=(0, 1, 2, 4, 8, 16, 32, 64, 128, 257),
)


def test_frames_near_speech_reach_four_frames_beyond_it() -> None:
    clean = np.zeros(60 * HOP, np.float32)
    clean[20 * HOP : 40 * HOP] = 0.1 * np.sin(np.arange(20 * HOP) / 5)
    active, near = np.flatnonzero(voice_activity(clean)), np.flatnonzero(near_speech(clean))
    assert near[0] == active[0] - 4
    assert near[-1] == active[-1] + 4
    assert not near_speech(np.zeros(10 * HOP, np.float32)).any()


def test_shares_are_means_over_the_frames_of_a_kind() -> None:
    masks = torch.zeros(1, 2, 4, 6)
    masks[..., :2] = 1
    masks[:, 0, 0, 2:] = 1
    speech = torch.tensor([[True, True, True, False, False, False]])
    found, frames = shares(masks, speech)
    torch.testing.assert_close(found, torch.tensor([(1 + 1 + 1 / 8) / 3, 1 / 8]))
    assert frames.tolist() == [3, 3]
    loss = kind_loss(work(masks), speech, ByKind(0.5, 0.125))
    torch.testing.assert_close(loss, (found[0] - 0.5) ** 2)


def test_each_frame_is_held_to_its_kind() -> None:
    speech = torch.tensor([[True, True, False, False]])
    masks = torch.zeros(1, 2, 4, 4)
    masks[..., 0] = 1
    torch.testing.assert_close(frame_loss(work(masks), speech, ByKind(0.5, 0.25)), torch.tensor(0.5**2 + 0.25**2))
    even = torch.zeros(1, 2, 4, 4)
    even[:, :, :2, :2] = 1
    even[:, :, :1, 2:] = 1
    torch.testing.assert_close(frame_loss(work(even), speech, ByKind(0.5, 0.25)), torch.tensor(0.0))


def test_a_block_held_to_its_kind_cannot_make_up_for_another() -> None:
    speech = torch.tensor([[True, False]])
    masks = torch.zeros(1, 2, 4, 2)
    masks[:, 0] = 1
    half = ByKind(0.5, 0.5)
    torch.testing.assert_close(frame_loss(work(masks), speech, half), torch.tensor(0.0))
    torch.testing.assert_close(frame_loss(block_work(masks), speech, half), torch.tensor(0.5))
    torch.testing.assert_close(block_work(masks, 2.0), torch.tensor([[[1.0, 1.0], [0.0, 0.0]]]))


@pytest.mark.parametrize("measure", [work, block_work])
def test_speech_weight_is_the_ratio_of_what_kinds_count_for(measure: Callable[[Tensor], Tensor]) -> None:
    speech = torch.tensor([[True, True, False]])
    misses, alarms = torch.zeros(1, 2, 4, 3), torch.ones(1, 2, 4, 3)
    misses[..., 2] = 1  # Wrong near speech and at rest, by as much.
    targets = ByKind(1.0, 1.0)
    missed, alarmed = (
        frame_loss(measure(masks), speech, wanted, 3.0)
        for masks, wanted in ((misses, targets), (alarms, ByKind(1.0, 0.0)))
    )
    torch.testing.assert_close(missed, 3 * alarmed)
    torch.testing.assert_close(missed + alarmed, torch.tensor(2.0))


@pytest.mark.parametrize("loss", [kind_loss, frame_loss])
def test_a_kind_without_frames_has_no_say(loss: Callable[[Tensor, Tensor, ByKind], Tensor]) -> None:
    half, none = torch.full((1, 6), 0.5), torch.zeros(1, 6, dtype=torch.bool)
    torch.testing.assert_close(loss(half, none, ByKind(0.9, 0.5)), torch.tensor(0.0))


def test_a_block_that_is_not_empty_has_its_price() -> None:
    masks = torch.zeros(1, 2, 4, 3)
    masks[:, 0, :2, 0] = 1
    masks[:, :, :, 2] = 1
    torch.testing.assert_close(work(masks), torch.tensor([[2 / 8, 0, 1]]))
    torch.testing.assert_close(work(masks, block_price=3.0), torch.tensor([[(2 + 3) / 14, 0, 1]]))


def test_its_price_pushes_the_harder_the_fewer_are_active() -> None:
    masks = torch.zeros(1, 2, 4, 1)
    masks[0, 0, 1] = masks[0, 1, :3] = 1
    masks.requires_grad_()
    work(masks, block_price=3.0).sum().backward()
    assert masks.grad is not None
    pushed = masks.grad[0, :, :, 0] * 2 * (4 + 3)
    torch.testing.assert_close(pushed, torch.tensor([[1.0, 1 + 3, 1, 1], [1 + 1, 1 + 1, 1 + 1, 1]]))


@pytest.mark.parametrize("field", ["speech_utilization", "rest_utilization"])
def test_one_target_alone_is_refused(field: str) -> None:
    with pytest.raises(ConfigError, match="give both, or neither"):
        parse(Config, {"training": {field: 0.5}}, "half.toml")


@pytest.mark.parametrize(
    "training",
    [{"utilization_by": "frame"}, {"utilization_by": "block"}, {"easy_snr_db": 0.0}, {"block_price": 3.0}],
    ids=lambda t: "-".join(map(str, *t.items())),
)
def test_what_goes_by_kind_needs_targets_by_kind(training: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="needs speech_utilization and rest_utilization"):
        parse(Config, {"training": training}, "half.toml")


def test_means_know_no_weight_of_speech() -> None:
    training = {"speech_utilization": 1.0, "rest_utilization": 0.1, "speech_weight": 2.0}
    with pytest.raises(ConfigError, match="speech_weight: needs utilization_by frame or block"):
        parse(Config, {"training": training}, "means.toml")
    parse(Config, {"training": training | {"utilization_by": "block"}}, "blocks.toml")


@pytest.mark.parametrize(
    ("network", "channels", "message"),
    [
        (NETWORK, 16, "of 16 gated channels per block, at least one"),
        (NETWORK, (0, 16), "of 16 gated channels per block, at least one"),
        (NETWORK, (1, 2, 3), "one number for all 2 blocks, or one for each"),
        (NetworkConfig(gate_site="none"), 16, "has no gates"),
    ],
    ids=["all of them", "all of a block", "of too many blocks", "static"],
)
def test_some_channel_has_to_close(network: NetworkConfig, channels: int | tuple[int, ...], message: str) -> None:
    fields = {"network": network.model_dump(), "training": {"open_channels": channels}}
    with pytest.raises(ConfigError, match=message):
        parse(Config, fields, "open.toml")


@pytest.fixture(scope="module")
def mixers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mixer, Mixer]:
    corpus = load_corpus(small_corpus(tmp_path_factory.mktemp("corpus") / "c"))
    return load_mixers(corpus, experiment(1, 1))


def experiment(epochs: int, steps: int) -> Config:
    return Config(
        network=NETWORK,
        mixing=MixingConfig(clip_s=1.0, noise_only=0.3),
        training=TrainingConfig(
            batch=2,
            epochs=epochs,
            steps_per_epoch=steps,
            learning_rate=5e-3,
            speech_utilization=0.8,
            rest_utilization=0.1,
            utilization_weight=20.0,
            utilization_ramp=0.2,
            auxiliary_weight=0.02,
            waveform_weight=0.01,
            average_decay=0.9,
        ),
    )


def test_mixers_that_mark_no_speech_are_refused(mixers: tuple[Mixer, Mixer], tmp_path: Path) -> None:
    unmarked = Mixer(mixers[0].speech, mixers[0].noise, mixers[0].config, mixers[0].classes)
    with pytest.raises(ConfigError, match="mark frames near speech"):
        Trainer(experiment(1, 1), unmarked, unmarked, tmp_path)


def test_speech_that_is_nearly_clean_may_count_as_rest(mixers: tuple[Mixer, Mixer]) -> None:
    def marked(speech_below: float) -> list[bool]:
        config = MixingConfig(clip_s=1.0, snr_db=(-5, 20))
        mixer = Mixer(mixers[0].speech, mixers[0].noise, config, speech_below=speech_below)
        clips = [mixer.clip(np.random.default_rng((3, 0, i))) for i in range(12)]
        found = mixer.batch(12, (3, 0)).speech
        assert found is not None
        for clip, frames in zip(clips, found.numpy(), strict=True):
            assert np.array_equal(frames, near_speech(clip.clean) & (clip.snr_db < speech_below))
        return [bool(frames.any()) for frames in found]

    assert sum(marked(np.inf)) > sum(marked(8.0)) > sum(marked(-np.inf)) == 0


@pytest.mark.parametrize("shared", ["block", "network"])
@pytest.mark.parametrize("channels", [3, (5, 0)], ids=["of every block", "of one block"])
def test_open_channels_stay_open(
    shared: Literal["block", "network"], channels: int | tuple[int, ...], mixers: tuple[Mixer, Mixer], tmp_path: Path
) -> None:
    config = experiment(1, 3)
    training = config.training.model_copy(update={"open_channels": channels, "utilization_by": "frame"})
    network = NETWORK.model_copy(update={"gate_shared": shared})
    config = config.model_copy(update={"training": training, "network": network})
    trainer = Trainer(config, *mixers, tmp_path)
    trainer.start_from(Enhancer(config.network))
    trainer.run(lambda _: None, workers=0)
    trained = load_checkpoint(tmp_path)
    assert trained.config.training == training
    kept = (3, 3) if channels == 3 else (5, 0)
    with torch.no_grad():
        for gate in (module for module in trained.network.modules() if isinstance(module, Gate)):
            bias = gate.score.bias
            assert bias is not None
            assert gate.score.weight.any()
            # A gate that closes all it can: scores without weights alone are left.
            bias[gate.score.weight[..., 0].any(dim=1)] = -100
        masks = trained.network.eval()(torch.rand(2, NETWORK.spectrum, 20)).masks[..., NETWORK.gate_period :]
    for block, count in enumerate(kept):
        assert masks[:, block, :count].all()
        assert not masks[:, block, count:].any()


@pytest.mark.slow
def test_frames_at_rest_become_cheaper_than_speech(mixers: tuple[Mixer, Mixer], tmp_path: Path) -> None:
    seen: list[Progress] = []
    Trainer(experiment(3, 60), *mixers, tmp_path).run(seen.append, workers=0)
    kinds = [progress.validation_shares for progress in seen if progress.validation_shares]
    assert len(kinds) == 3
    assert kinds[-1].rest < 0.7 * kinds[-1].speech
    assert load_checkpoint(tmp_path).config.training.by_kind == ByKind(0.8, 0.1)
