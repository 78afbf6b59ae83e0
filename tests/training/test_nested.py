# SPDX-License-Identifier: Apache-2.0
"""Gates that pick a width: of a block's channels, those that run are always the first so many of one order."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from experiments import short
from networks import FOLLOWING, features_of, trained_enough
from sounds import small_corpus, speech_like

from dyncp.base.config.experiment import Config, load_config
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers.reference import run
from dyncp.export.quantization.fold import fold_network
from dyncp.export.quantization.quantize import quantize
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.fitting.trainer import Trainer
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.network.checkpoint import load_checkpoint

SHARED = FOLLOWING[3].model_copy(update={"stacks": 3})
TEXT = short(2, 4, "learning_rate = 1e-2", "nested_widths = true", "open_channels = [3, 3, 0, 0]")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A configuration, and what it was trained to."""
    folder = tmp_path_factory.mktemp("nested")
    config, corpus = folder / "config.toml", small_corpus(folder / "corpus")
    config.write_text(TEXT)
    settings = load_config(config)
    trainer = Trainer(settings, *load_mixers(load_corpus([corpus]), settings), folder / "out", "cpu")
    trainer.run(lambda _: None, workers=0)
    return corpus, folder / "out"


def is_nested(masks: np.ndarray) -> bool:
    """masks [frames, N]: whether of any two frames' sets of active channels one holds the other."""
    sets = np.unique(masks, axis=0)
    order = sets[np.argsort(sets.sum(axis=1))]
    return all(bool((wider >= narrower).all()) for narrower, wider in pairwise(order))


def test_of_two_frames_widths_one_holds_the_other() -> None:
    """Over all channels of a group, in the float network and in its integers."""
    network = trained_enough(SHARED)
    network.nest([0] * SHARED.blocks)
    with torch.no_grad():
        for gate in network.gates:
            gate.score.weight *= 8
        floats = network(torch.from_numpy(features_of(400, SHARED).T[None])).masks[0]
    noisy = speech_like(400)
    bundle = quantize(fold_network(network, ""), [noisy])
    integers = unpack_masks(run(bundle, noisy).masks, SHARED)
    for masks in (integers, floats.permute(2, 0, 1).numpy()):
        for first in range(0, SHARED.blocks, SHARED.blocks_per_gate):
            of_group = masks[:, first : first + SHARED.blocks_per_gate].reshape(len(masks), -1)
            assert is_nested(of_group)
            assert len(np.unique(of_group, axis=0)) > 2


def test_gates_that_decide_freely_are_not_nested() -> None:
    """What the test above would find without the constraint."""
    with torch.no_grad():
        masks = trained_enough(SHARED)(torch.from_numpy(features_of(400, SHARED).T[None])).masks[0]
    assert not is_nested(masks[:2].permute(2, 0, 1).flatten(1).numpy())


def test_scores_share_a_direction_and_begin_in_order(tmp_path: Path, trained: tuple[Path, Path]) -> None:
    corpus, folder = trained
    settings = load_checkpoint(folder).config
    fresh = Trainer(settings, *load_mixers(load_corpus([corpus]), settings), tmp_path, "cpu").network
    for network in (fresh, load_checkpoint(folder).network):
        for gate, kept in zip(network.gates, (3, 0), strict=True):
            weight = gate.score.weight.detach().view(2, 16, 4)
            assert not weight[:, :kept].any()
            torch.testing.assert_close(weight[:, kept:], weight[0, 15].expand(2, 16 - kept, 4))
            assert weight[0, 15].any()
    for gate, kept in zip(fresh.gates, (3, 0), strict=True):
        assert gate.score.bias is not None
        assert (gate.score.bias.detach().view(2, 16)[:, kept:].diff(dim=1) < 0).all()


def test_a_static_network_has_no_widths_to_nest() -> None:
    with pytest.raises(ValueError, match=r"training\.nested_widths: a block has no gates"):
        Config.model_validate({"network": {"gate_site": "none"}, "training": {"nested_widths": True}})
