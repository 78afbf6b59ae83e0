# SPDX-License-Identifier: Apache-2.0
"""Small float networks for tests, with batch-norm statistics and gates as if they had been trained."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.export.transforms import stft
from dyncp.train.network.enhancer import Enhancer

# Every combination of pooling and gate site.
SHAPES = [
    NetworkConfig(
        channels=16,
        hidden=40,
        gate=6,
        stacks=1,
        dilations=(1, 2),
        pooling=pooling,
        pooling_frames=20,
        gate_site=site,
    )
    for pooling in ("window", "ema")
    for site in ("output", "hidden")
]
# Caps that are hit.
CAPPED = [
    SHAPES[0].model_copy(update={"block_cap": 5}),
    SHAPES[1].model_copy(update={"block_cap": 15, "frame_cap": 25}),
    SHAPES[2].model_copy(update={"block_cap": 6, "frame_cap": 9}),
]
BANDS = (*range(9), 12, 17, 30, 60, 61, 130, 257)
# Gates that average their values instead of their input.
AVERAGING = [
    SHAPES[2].model_copy(update={"pooling": "gate", "pooling_frames": (3, 8, 20, 64)}),
    SHAPES[3].model_copy(
        update={"pooling": "gate", "pooling_frames": (3, 20), "gate_period": 2, "gate_shared": "stack"},
    ),
]
# Work that follows the signal: bands, gates that hold, gates that several blocks share.
FOLLOWING = [
    SHAPES[0].model_copy(update={"bands": BANDS}),
    SHAPES[3].model_copy(update={"bands": BANDS, "gate_period": 4, "pooling_frames": 3}),
    SHAPES[2].model_copy(update={"gate_period": 3, "gate_shared": "network", "block_cap": 9}),
    SHAPES[1].model_copy(update={"gate_period": 2, "gate_shared": "stack", "pooling_frames": 6}),
    *AVERAGING,
]
# Depthwise convolutions of other than three taps, the last one with the frames of `ears`.
TAPPED = [
    SHAPES[0].model_copy(update={"kernel": 2}),
    SHAPES[3].model_copy(update={"kernel": 5}),
    SHAPES[1].model_copy(
        update={"kernel": 4, "hop": 64, "fft": 256, "analysis_window": 256, "synthesis_window": 128},
    ),
]
STATIC = SHAPES[0].model_copy(update={"gate_site": "none"})


def features_of(frames: int, config: NetworkConfig, seed: int = 3) -> NDArray[np.float32]:
    """Speech as the network hears it, [frames, F]."""
    framing = config.framing
    pcm = speech_like(-(-frames * framing.hop // 256), seed=seed)[: frames * framing.hop].reshape(-1, framing.hop)
    return stft.compress(stft.analyse(pcm, framing), config.bands).astype(np.float32)


def trained_enough(config: NetworkConfig, seed: int = 0) -> Enhancer:
    """Random weights; batch norm has seen speech, and the gates' biases are spread so that about half are open."""
    torch.manual_seed(seed)
    # The statistics are those without a cap, lest channels that it never lets through have a variance of 0.
    network = Enhancer(config.model_copy(update={"block_cap": None, "frame_cap": None}))
    features = torch.from_numpy(features_of(200 * 256 // config.hop, config, seed).T[None])
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = 1.0
    with torch.no_grad():
        network(features)
        for block in network.blocks:
            if block.gate is not None:
                torch.nn.init.normal_(block.gate.score.bias, std=0.1)  # type: ignore[union-attr, arg-type]
            block.project.weight *= 2  # type: ignore[union-attr, operator]
    network.config = config
    return network.eval()
