# SPDX-License-Identifier: Apache-2.0
"""Steps in bfloat16 and compiled steps train like eager ones in float32."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sounds import small_corpus

from dyncp.base.config.experiment import Config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_all
from dyncp.train.fitting.trainer import Progress, Trainer
from dyncp.train.mixing.clips import Mixer

TINY = NetworkConfig(channels=12, hidden=16, stacks=1, dilations=(1, 2), gate=4, pooling_frames=5)


@pytest.fixture(scope="module")
def mixer(tmp_path_factory: pytest.TempPathFactory) -> Mixer:
    part = load_corpus(small_corpus(tmp_path_factory.mktemp("precision") / "corpus")).split("train")
    return Mixer(read_all(part.speech), read_all(part.noise), MixingConfig(clip_s=1.0))


def experiment(steps: int, **changes: object) -> Config:
    training = TrainingConfig(batch=4, epochs=1, steps_per_epoch=steps, learning_rate=5e-3, warmup=0)
    return Config(network=TINY, training=training.model_copy(update=changes))


@pytest.mark.slow
def test_a_run_in_bfloat16_learns(mixer: Mixer, tmp_path: Path) -> None:
    seen: list[Progress] = []
    trainer = Trainer(experiment(100, precision="bfloat16"), mixer, mixer, tmp_path)
    trainer.run(seen.append, workers=0)
    assert sum(p.loss for p in seen[-20:]) < 0.8 * sum(p.loss for p in seen[:20])
    assert all(parameter.dtype == torch.float32 for parameter in trainer.network.parameters())


def test_bfloat16_is_used_and_close_to_float32(mixer: Mixer, tmp_path: Path) -> None:
    batch = mixer.batch(4, (0,))
    losses = [
        Trainer(experiment(1, precision=precision), mixer, mixer, tmp_path).loss(batch)[0].item()
        for precision in ("float32", "bfloat16")
    ]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


@pytest.mark.slow
def test_compiled_steps_equal_eager_ones(mixer: Mixer, tmp_path: Path) -> None:
    eager, compiled = (Trainer(experiment(3), mixer, mixer, tmp_path, compiled=c) for c in (False, True))
    for step in range(3):
        batch = mixer.batch(4, (0, step))
        assert compiled.step(batch, step) == pytest.approx(eager.step(batch, step), rel=1e-4)
    for ours, theirs in zip(compiled.network.parameters(), eager.network.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5)
    assert compiled.network.state_dict().keys() == eager.network.state_dict().keys()
