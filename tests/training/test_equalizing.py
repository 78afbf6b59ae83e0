# SPDX-License-Identifier: Apache-2.0
"""Residual channels of equal size: the network computes what it did, and its integers follow it more closely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from experiments import short
from networks import AVERAGING, FOLLOWING, SHAPES, STATIC, features_of, trained_enough
from sounds import small_corpus, speech_like

from dyncp.base.config.experiment import load_config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ConfigError
from dyncp.export.integers import reference
from dyncp.export.quantization.fold import fold_network
from dyncp.export.quantization.quantize import quantize, scales_for
from dyncp.export.transforms import stft
from dyncp.train.finishing.equalizing import equalize, main, residual_peaks
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.enhancer import Enhancer


def uneven(config: NetworkConfig) -> Enhancer:
    """Every second residual channel is a thirtieth as large; the network computes what `trained_enough` does."""
    network = trained_enough(config)
    peaks = torch.ones(config.channels)
    peaks[::2] = 30
    equalize(network, peaks)
    return network


def heard_by(config: NetworkConfig, frames: int = 200) -> torch.Tensor:
    return torch.from_numpy(features_of(frames, config).T[None]).float()


@pytest.mark.parametrize(
    "config",
    [SHAPES[0], SHAPES[1], AVERAGING[1], FOLLOWING[3], STATIC],
    ids=["output", "hidden", "gate", "ema", "none"],
)
def test_the_network_computes_what_it_did(config: NetworkConfig) -> None:
    network, heard = uneven(config), heard_by(config)
    with torch.no_grad():
        before = network(heard)
        equalize(network, residual_peaks(network, [heard]))
        after = network(heard)
    torch.testing.assert_close(after.suppression, before.suppression, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(after.scores, before.scores, atol=1e-3, rtol=1e-3)
    assert int((after.masks != before.masks).sum()) <= before.masks.numel() // 1000
    assert not network.training


def test_all_channels_that_are_heard_get_the_size_of_the_largest() -> None:
    network, heard = uneven(SHAPES[1]), heard_by(SHAPES[1])
    before = residual_peaks(network, [heard])
    equalize(network, before)
    after = residual_peaks(network, [heard])
    assert before.max() > 20 * before.min()
    torch.testing.assert_close(after, torch.full_like(after, float(before.max())), rtol=1e-3, atol=0)


def test_a_channel_that_is_never_heard_of_is_not_blown_up() -> None:
    network = trained_enough(STATIC)
    weights = network.front.weight.detach().clone()
    peaks = torch.full((STATIC.channels,), 2.0)
    peaks[3] = 0
    equalize(network, peaks)
    factor = network.front.weight.detach() / weights
    assert factor[3].max() == pytest.approx(1000)
    assert factor[:3].max() == pytest.approx(1)


def test_a_network_that_gives_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="train it first"):
        equalize(trained_enough(STATIC), torch.zeros(STATIC.channels))


def test_the_integers_follow_more_closely() -> None:
    config = STATIC
    pcm = speech_like(64000, seed=3)
    features = stft.compress(stft.analyse(pcm.reshape(-1, config.framing.hop), config.framing), config.bands)
    errors = []
    for network in (uneven(config), trained_enough(config)):
        folded = fold_network(network, "0" * 64)
        bundle = quantize(folded, [pcm])
        told = reference.run(bundle, pcm, trace=True).trace["suppression"] / 32768
        errors.append(float(np.sqrt(np.mean(np.square(told - folded.forward(features)[0])))))
    assert errors[1] < 0.7 * errors[0]


def test_a_network_trained_through_its_integers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text(short(1, 1))
    config = load_config(tmp_path / "short.toml")
    network = trained_enough(config.network)
    scales = scales_for(fold_network(network, "0" * 64), [speech_like(16000, seed=1)])
    write_checkpoint(tmp_path / "before", network, config, 1, [0.5] * config.network.blocks, 1.0, scales)
    with pytest.raises(ConfigError, match="equalize before that"):
        main(str(tmp_path / "before"), str(tmp_path / "after"), str(tmp_path))
    assert not (tmp_path / "after").exists()


def test_the_command_writes_a_checkpoint(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus")
    (tmp_path / "short.toml").write_text(short(1, 1))
    config = load_config(tmp_path / "short.toml")
    network = trained_enough(config.network)
    write_checkpoint(tmp_path / "before", network, config, 1, [0.5] * config.network.blocks, 1.0)
    main(str(tmp_path / "before"), str(tmp_path / "after"), str(corpus))
    found = load_checkpoint(tmp_path / "after")
    heard = heard_by(config.network)
    with torch.no_grad():
        torch.testing.assert_close(found.network(heard).suppression, network(heard).suppression, atol=1e-4, rtol=1e-3)
    assert found.config == config
    assert not torch.equal(found.network.front.weight, network.front.weight)
