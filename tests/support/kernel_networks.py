# SPDX-License-Identifier: Apache-2.0
"""Few networks that between them run every line of the kernels in C, and audio: for tests and `make mutants`."""

from __future__ import annotations

import numpy as np
from bundles import ProbeWidth, random_bundle
from libraries import difficult_audio
from networks import BANDS
from numpy.typing import NDArray
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle, check
from dyncp.export.integers import reference
from dyncp.export.transforms import frontend

Case = tuple[Bundle, NDArray[np.int16]]

EVEN = NetworkConfig(channels=16, hidden=40, gate=8, stacks=1, dilations=(1, 2), pooling_frames=5)
ODD = EVEN.model_copy(update={"channels": 33, "hidden": 45, "gate": 3})
HIDDEN = {"gate_site": "hidden", "pooling": "ema"}
NETWORKS: dict[str, tuple[NetworkConfig, ProbeWidth]] = {
    "tied": (EVEN.model_copy(update={"block_cap": 6, "frame_cap": 9}), "int8"),
    "odd": (ODD.model_copy(update={"block_cap": 9, "frame_cap": 9}), "int16"),
    "hidden": (ODD.model_copy(update=HIDDEN), "int16"),
    "many flips": (EVEN.model_copy(update={**HIDDEN, "hidden": 128, "stacks": 2}), "int8"),
    "averaging": (ODD.model_copy(update={**HIDDEN, "pooling": "gate", "pooling_frames": (3, 9, 40)}), "int8"),
    "holding": (EVEN.model_copy(update={**HIDDEN, "bands": BANDS, "gate_period": 3}), "int8"),
}


def case(network: str) -> Case:
    """A bundle of `NETWORKS`, and audio; of "tied", channels score the same by fours."""
    config, probes = NETWORKS[network]
    bundle = random_bundle(config, 3, probes)
    if network == "tied":
        for block in range(config.blocks):
            for part in ("weight", "bias"):
                tensor = bundle.tensors[f"blocks.{block}.gate.score.{part}"]
                tensor[:] = np.repeat(tensor[::4], 4, axis=0)
    audio = difficult_audio()
    return named(undecided(bundle, audio)), audio


def met_thresholds() -> Case:
    """A bundle whose thresholds are powers that its audio has; of audio alone none would be. At its end frames of ones,
    and one that is not silent, but of which every power is 0."""
    faint = np.zeros(3 * 256, np.int16)
    faint[-1] = 1
    audio = np.concatenate([speech_like(12), np.ones(3 * 256, np.int16), faint])
    real, imaginary = frontend.analysis(audio.reshape(-1, 256))
    powers = np.unique((real**2 + imaginary**2).astype(np.uint64))
    bundle = random_bundle(EVEN, 3)
    count = len(bundle.tensors["features.thresholds"])
    bundle.tensors["features.thresholds"] = powers[np.linspace(1, len(powers) - 1, count).astype(int)]
    return named(bundle), audio


def undecided(bundle: Bundle, audio: NDArray[np.int16]) -> Bundle:
    """Classes have equal scores in the mean, so that each is told now and then."""
    signals = reference.run(bundle, audio).signals
    for task, columns in zip(bundle.probes.tasks, bundle.probes.columns, strict=True) if bundle.probes else ():
        if task.kind == "multiclass":
            bundle.probes.bias[columns] -= signals[:, columns].mean(axis=0).astype(np.int32)
    return bundle


def named(bundle: Bundle) -> Bundle:
    """As if it had been written."""
    check(bundle)
    bundle.hash = bundle.identity
    return bundle


def cases() -> dict[str, Case]:
    """All of them, by name."""
    return {**{name: case(name) for name in NETWORKS}, "met thresholds": met_thresholds()}
