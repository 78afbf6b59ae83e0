# SPDX-License-Identifier: Apache-2.0
"""Gates that lean to open do so by what is said, from the group on that is said, and leave all else as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from networks import FOLLOWING, STATIC, features_of, trained_enough

from dyncp.base.config.experiment import Config
from dyncp.base.errors import ConfigError
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.leaning import lean, main

SHARED = FOLLOWING[3].model_copy(update={"stacks": 3})


def test_scores_rise_from_a_group_on() -> None:
    network, heard = trained_enough(SHARED), torch.from_numpy(features_of(80, SHARED).T[None])
    network.keep_open([0, 0, 0, 0, 3, 0])
    with torch.no_grad():
        before = network(heard)
        lean(network, 0.25, first_group=2)
        after = network(heard)
    moved = (after.scores - before.scores)[0, :, :, SHARED.gate_period :]
    assert moved[:4].abs().max() == 0
    assert moved[4, :3].abs().max() == 0
    torch.testing.assert_close(moved[4, 3:], torch.full_like(moved[4, 3:], 0.25))
    torch.testing.assert_close(moved[5], torch.full_like(moved[5], 0.25))
    assert (after.masks >= before.masks).all()
    assert after.masks.sum() > before.masks.sum()


def test_a_static_network_has_nothing_to_lean() -> None:
    with pytest.raises(ConfigError, match="no gate decides"):
        lean(trained_enough(STATIC), 0.5)


def test_the_command_writes_a_checkpoint(tmp_path: Path) -> None:
    network = trained_enough(SHARED)
    write_checkpoint(tmp_path / "trained", network, Config(network=SHARED), 3, [0.5] * SHARED.blocks, 1.5)
    main(str(tmp_path / "trained"), str(tmp_path / "leaning"), "0.5")
    found = load_checkpoint(tmp_path / "leaning")
    assert (found.manifest.epoch, found.manifest.validation_loss) == (3, 1.5)
    lean(network, 0.5)
    assert all(torch.equal(value, found.network.state_dict()[name]) for name, value in network.state_dict().items())
