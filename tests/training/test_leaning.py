# SPDX-License-Identifier: Apache-2.0
"""Gates that lean to open do so by what is said, from the group on that is said, and leave all else as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from experiments import short
from networks import FOLLOWING, STATIC, features_of, trained_enough
from sounds import small_corpus, speech_like

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.errors import ConfigError
from dyncp.export.integer_training.qat import IntegerTrainer
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.finishing.leaning import SELDOM, lean, leaning, main, open_shares
from dyncp.train.fitting.trainer import Trainer
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.gate import Gate
from dyncp.train.network.resume_file import read_resume

SHARED = FOLLOWING[3].model_copy(update={"stacks": 3})
ALL_OPEN = torch.ones(SHARED.blocks, SHARED.gated)
TEXT = short(1, 3)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("leaning") / "corpus")


def scores_bias(folder: Path) -> list[torch.Tensor]:
    """Of every gate of a checkpoint."""
    return [m.score.bias.detach() for m in load_checkpoint(folder).network.modules() if isinstance(m, Gate)]


def test_scores_rise_from_a_group_on() -> None:
    network, heard = trained_enough(SHARED), torch.from_numpy(features_of(80, SHARED).T[None])
    network.keep_open([0, 0, 0, 0, 3, 0])
    with torch.no_grad():
        before = network(heard)
        lean(network, 0.25, ALL_OPEN, first_group=2)
        after = network(heard)
    moved = (after.scores - before.scores)[0, :, :, SHARED.gate_period :]
    assert moved[:4].abs().max() == 0
    assert moved[4, :3].abs().max() == 0
    torch.testing.assert_close(moved[4, 3:], torch.full_like(moved[4, 3:], 0.25))
    torch.testing.assert_close(moved[5], torch.full_like(moved[5], 0.25))
    assert (after.masks >= before.masks).all()
    assert after.masks.sum() > before.masks.sum()


def test_channels_that_hardly_ever_open_stay_closed() -> None:
    network, heard = trained_enough(SHARED), torch.from_numpy(features_of(400, SHARED).T[None])
    gate = next(module for module in network.modules() if isinstance(module, Gate) and module.group == 2)
    with torch.no_grad():
        # Of the first block of the group, a channel that never opens by itself, and would if it leaned.
        gate.score.bias[0] = -network(heard).scores[0, 4, 0].max() + gate.score.bias[0] - 0.1
    shares = open_shares(network, lambda features: network(features).masks, [heard])
    assert shares[4, 0] < SELDOM
    lean(network, 0.5, shares)
    with torch.no_grad():
        after = network(heard).masks
    assert after[0, 4, 0].max() == 0
    assert after[0, 4, 1:].mean() > shares[4, 1:].mean()


def test_a_network_that_leant_stands_as_before() -> None:
    network, heard = trained_enough(SHARED), torch.from_numpy(features_of(80, SHARED).T[None])
    own = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with leaning(network, 0.5, lambda features: network(features).masks, [heard]):
        assert not all(torch.equal(own[name], tensor) for name, tensor in network.state_dict().items())
    assert all(torch.equal(own[name], tensor) for name, tensor in network.state_dict().items())


def test_a_static_network_has_nothing_to_lean() -> None:
    with pytest.raises(ConfigError, match="no gate decides"):
        lean(trained_enough(STATIC), 0.5, ALL_OPEN)
    with pytest.raises(ValueError, match=r"training\.lean: there is no gate but the first"):
        Config.model_validate({"network": {"gate_shared": "network"}, "training": {"lean": 0.5}})


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_what_training_writes_leans_and_what_it_resumes_from_does_not(
    tmp_path: Path, corpus: Path, average: float
) -> None:
    for name, by in (("upright", 0.0), ("leaning", 1.5)):
        config = tmp_path / f"{name}.toml"
        config.write_text(f"{TEXT}average_decay = {average}\nlean = {by}\n")
        settings = load_config(config)
        trainer = Trainer(settings, *load_mixers(load_corpus([corpus]), settings), tmp_path / name, "cpu")
        trainer.run(lambda _: None, workers=0)
    upright, leaning = (scores_bias(tmp_path / name) for name in ("upright", "leaning"))
    torch.testing.assert_close(leaning[0], upright[0])
    torch.testing.assert_close(leaning[1], upright[1] + 1.5)
    mine, other = (read_resume(tmp_path / name).tensors for name in ("upright", "leaning"))
    torch.testing.assert_close(mine, other)


def test_integers_lean_by_the_masks_of_the_integers(tmp_path: Path, corpus: Path) -> None:
    settings = []
    for by in (0.0, 1.5):
        config = tmp_path / f"{by}.toml"
        config.write_text(f"{TEXT}lean = {by}\n")
        settings.append(load_config(config))
    start = trained_enough(settings[0].network)
    audio = [speech_like(120)]
    upright, leant = (
        IntegerTrainer(
            each, *load_mixers(load_corpus([corpus]), each), tmp_path / str(each.training.lean), start, audio
        )
        for each in settings
    )
    for trainer in (upright, leant):
        trainer.run(lambda _: None, workers=0)
    network, heard = upright.network, upright._statistics_inputs
    seen = open_shares(network, lambda inputs: upright.forward(inputs)[1], heard) >= SELDOM
    assert not torch.equal(seen, open_shares(network, lambda inputs: network(inputs).masks, heard) >= SELDOM)
    before, after = scores_bias(tmp_path / "0.0"), scores_bias(tmp_path / "1.5")
    assert 0 < seen[2:].sum() < seen[2:].numel()
    torch.testing.assert_close(after[1] - before[1], 1.5 * seen[2:].flatten().float())


def test_the_command_writes_a_checkpoint(tmp_path: Path, corpus: Path) -> None:
    network = trained_enough(SHARED)
    write_checkpoint(tmp_path / "trained", network, Config(network=SHARED), 3, [0.5] * SHARED.blocks, 1.5)
    main(str(tmp_path / "trained"), str(tmp_path / "leaning"), "0.5", str(corpus))
    found = load_checkpoint(tmp_path / "leaning")
    assert (found.manifest.epoch, found.manifest.validation_loss) == (3, 1.5)
    before, after = scores_bias(tmp_path / "trained"), scores_bias(tmp_path / "leaning")
    assert torch.equal(before[0], after[0])
    for old, new in zip(before[1:], after[1:], strict=True):
        moved = (new - old)[new != old]
        torch.testing.assert_close(moved, torch.full_like(moved, 0.5))
        assert len(moved) > len(old) / 2
