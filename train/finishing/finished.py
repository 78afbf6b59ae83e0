# SPDX-License-Identifier: Apache-2.0
"""Where what is done to a trained network begins and ends: what it hears, and the checkpoint that is written."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from dyncp.base.config.network import NetworkConfig
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.mixing.pairs import CALIBRATION_CLIPS, EVERYDAY, make_pairs
from dyncp.train.network.checkpoint import Checkpoint, write_checkpoint
from dyncp.train.network.stft import analyse, features


def heard_in(corpus: Path, config: NetworkConfig) -> list[Tensor]:
    """What a network hears, [1, F, T] each, of the clips of the training split that `dyncp export` calibrates on.

    Of every licence, unlike those of a training with --redistributable.
    """
    pairs = make_pairs(load_corpus([corpus], False), "train", CALIBRATION_CLIPS, EVERYDAY, config.framing)
    noisy = [torch.from_numpy(pair.noisy.astype("float32") / 32768)[None] for pair in pairs]
    return [features(analyse(signal, config.framing), config.bands) for signal in noisy]


def write_finished(checkpoint: Checkpoint, out: Path) -> None:
    """The checkpoint, whose network has changed since it was read, into the folder `out`; without its probes."""
    trained = checkpoint.manifest
    write_checkpoint(
        out,
        checkpoint.network,
        checkpoint.config,
        trained.epoch,
        list(trained.utilization),
        trained.validation_loss,
        checkpoint.scales,
    )
