# SPDX-License-Identifier: Apache-2.0
"""Random bundles for tests and analysers: integers of realistic size for any network configuration, untrained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.tasks import Period
from dyncp.export.formats.bundle import LOGIT_SCALE, Bundle, Probes, ProbeTask, Scales, Tensors, check
from dyncp.export.formats.masks import channel_bits
from dyncp.export.transforms import frontend

ProbeWidth = Literal["int8", "int16"]

TASKS = [
    ProbeTask(name="vad", kind="binary", outputs=1, q=8, unit="log-odds", smoothing=1),
    ProbeTask(name="noise", kind="multiclass", outputs=3, q=8, unit="score", classes=["hum", "street", "babble"]),
    ProbeTask(name="snr", kind="regression", outputs=1, q=8, unit="dB", frames="speech", smoothing=3),
]


def random_bundle(
    config: NetworkConfig, seed: int, probes: ProbeWidth | None = "int8", periods: Sequence[Period] = (1, 1, 1)
) -> Bundle:
    """A bundle that passes `check`: uniform weights, activations that fill their ranges, gates partly open.

    `probes` is the width of the probe weights; None leaves the probes out. `periods` are those of TASKS.
    """
    random = np.random.default_rng(seed)
    tensors: Tensors = {
        **frontend.tables(config.framing),
        "features.thresholds": frontend.feature_thresholds(2 * frontend.finest(config.fft), config.fft),
        "back.input.multiplier": _multiplier(np.array([30 / 6000])),
    }
    c, h, g, n = config.channels, config.hidden, config.gate, config.gated
    read = 30.0 * (config.pooled_frames if config.pooling == "window" else 256)
    read = 6000.0 if config.pools_values else read
    tensors |= _layer(random, "front", c, config.spectrum, rms=40, target=6000)
    for i in range(config.blocks):
        block = f"blocks.{i}"
        tensors[f"{block}.input.multiplier"] = _multiplier(np.array([30 / 6000]))
        if config.has_gate(i) and config.pooling != "window":
            tensors[f"{block}.pool.coefficient"] = _multiplier(2 / (np.array(config.pole_frames) + 1))
        if config.has_gate(i):
            tensors |= _layer(random, f"{block}.gate.reduce", g, c, rms=read, target=6000)
            scored = config.blocks_per_gate * n
            tensors |= _layer(random, f"{block}.gate.score", scored, g, rms=4000, target=None, lean=-0.3)
        tensors |= _layer(random, f"{block}.expand", h, c, rms=30, target=40)
        tensors |= _layer(random, f"{block}.depthwise", h, config.kernel, rms=30, target=40)
        project = _layer(random, f"{block}.project", c, h, rms=30, target=2000)
        del project[f"{block}.project.bias"]
        tensors |= project
    tensors |= _layer(random, "back", config.spectrum, c, rms=30, target=6000)
    bundle = Bundle(config, tensors, _scales(config), {"checkpoint": "0" * 64, "calibration": "0" * 64})
    bundle.probes = None if probes is None else _probes(random, config, probes, periods)
    check(bundle)
    return bundle


def _multiplier(factor: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.clip(np.round(factor * 2.0**31), 0, 2**30 - 1).astype(np.int32)


def _layer(
    random: np.random.Generator,
    name: str,
    rows: int,
    columns: int,
    rms: float,
    target: float | None,
    lean: float = 0.0,
) -> Tensors:
    """A layer that maps inputs of size `rms` to outputs of about size `target`; without one, it has no multiplier.

    `lean` shifts the biases, in units of the output's spread.
    """
    weight = random.integers(-127, 128, (rows, columns)).astype(np.int8)
    spread = rms * np.sqrt((weight.astype(np.float64) ** 2).sum(axis=1) + 1)
    tensors: Tensors = {
        f"{name}.weight": weight,
        f"{name}.bias": np.round((lean + random.uniform(-0.5, 0.5, rows)) * spread).astype(np.int32),
    }
    if target is not None:
        tensors[f"{name}.multiplier"] = _multiplier(target / spread * random.uniform(0.7, 1.4, rows))
    return tensors


def _scales(config: NetworkConfig) -> Scales:
    scales: Scales = {"features": 0.02, "residual": 0.001}
    for i in range(config.blocks):
        scales |= {f"blocks.{i}.{name}": 0.05 for name in ("input", "expand", "depthwise")}
        if config.has_gate(i):
            scored = config.blocks_per_gate * config.gated
            gate: Scales = {"gate": 0.05, "score": [0.001] * scored}
            if not config.pools_values:
                gate["pool"] = 0.05
            scales |= {f"blocks.{i}.{name}": scale for name, scale in gate.items()}
    return scales | {"back.input": 0.05, "logits": LOGIT_SCALE}


def _probes(random: np.random.Generator, config: NetworkConfig, width: ProbeWidth, periods: Sequence[Period]) -> Probes:
    bits = channel_bits(config).ravel()
    channel = np.sort(random.choice(bits, size=max(1, len(bits) // 2), replace=False)).astype(np.int32)
    outputs = sum(task.outputs for task in TASKS)
    # Small enough for the words to be smoothed (docs/arithmetic.md, section 9).
    largest = min(np.iinfo(width).max, 2**21 // len(channel))
    weight = random.integers(-largest, largest + 1, (len(channel), outputs)).astype(width)
    bias = random.integers(-20 * largest, 20 * largest, outputs).astype(np.int32)
    tasks = [task.model_copy(update={"period": period}) for task, period in zip(TASKS, periods, strict=True)]
    return Probes(weight, bias, channel, tasks)
