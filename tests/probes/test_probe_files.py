# SPDX-License-Identifier: Apache-2.0
"""Tasks that keep different bits on one set of them, and the file that a checkpoint keeps it in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dyncp.base.config.experiment import Config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import CheckpointError
from dyncp.base.scores import Score
from dyncp.base.tasks import SNR_IN, VOICE_ACTIVITY, Task, classes_task
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.probes.files import FloatProbes, combine, load_probes, save_probes
from dyncp.train.probes.linear import LinearProbe, fit

T = 1500
POSITIONS = np.r_[0:8, 32:40].astype(np.int32)
BITS = np.random.default_rng(4).random((T, len(POSITIONS))) < 0.5
SNR = SNR_IN.model_copy(update={"smoothing": 3})


def fitted() -> list[LinearProbe]:
    """Each task finds some bits dead that the others keep; one is dead for all."""
    planted: list[tuple[Task, np.ndarray, list[int]]] = [
        (VOICE_ACTIVITY, BITS[:, 3], [1, 9]),
        (SNR, 10.0 * BITS[:, 9] - BITS[:, 2], [1, 3, 12]),
        (classes_task("noise", ["a", "b", "c"], "all"), BITS[:, 4] + 1 * BITS[:, 5], [1]),
    ]
    probes = []
    for task, labels, dead in planted:
        bits = BITS.copy()
        bits[:, dead] = False
        probes.append(fit(bits, labels, np.ones(T, bool), task))
    return probes


def test_combined_words_are_those_of_each_probe() -> None:
    probes = fitted()
    together = combine(probes, POSITIONS)
    assert together.channel.tolist() == np.delete(POSITIONS, 1).tolist()
    assert [task.name for task in together.tasks] == ["vad", "snr_in", "noise"]
    words = np.hstack([probe.words(BITS) for probe in probes])
    assert together.words(BITS, POSITIONS) == pytest.approx(words)


def test_probes_survive_in_a_checkpoint(tmp_path: Path) -> None:
    config = Config(network=NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1, 2), gate=2))
    write_checkpoint(tmp_path, Enhancer(config.network), config, 0, [1.0], 0.0)
    assert load_probes(tmp_path) is None
    probes = combine(fitted(), POSITIONS)
    save_probes(tmp_path, probes, {"vad": Score(frames=3, accuracy=0.5)}, "hash")
    load_checkpoint(tmp_path)
    loaded = load_probes(tmp_path)
    assert isinstance(loaded, FloatProbes)
    assert loaded.tasks == probes.tasks
    assert loaded.tasks[1].smoothing == 3
    assert loaded.bits == 16
    assert (loaded.words(BITS, POSITIONS) == probes.words(BITS, POSITIONS)).all()
    (tmp_path / "probes.safetensors").write_bytes(b"x")
    for load in (load_checkpoint, load_probes):
        with pytest.raises(CheckpointError, match=r"probes\.safetensors"):
            load(tmp_path)
