# SPDX-License-Identifier: Apache-2.0
"""Both kinds of kernels in C, compiled for the host, on few networks that between them reach every line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from bundles import ProbeWidth, random_bundle
from libraries import assert_same, difficult_audio
from networks import BANDS
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import write_bundle
from dyncp.export.integers import reference
from dyncp.export.transforms import frontend
from dyncp.firmware.host.library import HostLibrary

EVEN = NetworkConfig(channels=16, hidden=40, gate=8, stacks=1, dilations=(1, 2), pooling_frames=5)
ODD = EVEN.model_copy(update={"channels": 33, "hidden": 45, "gate": 3})
HIDDEN = {"gate_site": "hidden", "pooling": "ema"}
NETWORKS: dict[str, tuple[NetworkConfig, ProbeWidth]] = {
    "tied": (EVEN.model_copy(update={"block_cap": 6, "frame_cap": 9}), "int8"),
    "odd": (ODD, "int16"),
    "hidden": (ODD.model_copy(update=HIDDEN), "int16"),
    "many flips": (EVEN.model_copy(update={**HIDDEN, "hidden": 128, "stacks": 2}), "int8"),
    "holding": (EVEN.model_copy(update={**HIDDEN, "bands": BANDS, "gate_period": 3}), "int8"),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("kernels", ["PORTABLE", "DSP"])
def test_both_kinds_of_kernels(tmp_path: Path, network: str, kernels: Literal["PORTABLE", "DSP"]) -> None:
    config, probes = NETWORKS[network]
    bundle = random_bundle(config, 3, probes)
    if network == "tied":
        for block in range(config.blocks):
            for part in ("weight", "bias"):
                tensor = bundle.tensors[f"blocks.{block}.gate.score.{part}"]
                tensor[:] = np.repeat(tensor[::4], 4, axis=0)
    write_bundle(bundle, tmp_path / "bundle")
    library = generate(bundle, tmp_path / "library")
    audio = difficult_audio()
    host = HostLibrary(library, trace=True, flags=("-O1", f"-DDYNCP_{kernels}"), build_dir=tmp_path)
    assert_same(reference.run(bundle, audio, trace=True), host.run(audio, trace=True))


def test_a_power_that_is_a_threshold_reaches_it(tmp_path: Path) -> None:
    """Which of audio alone none is: here the thresholds are taken from the powers of the audio."""
    audio = speech_like(12)
    real, imaginary = frontend.analysis(audio.reshape(-1, 256))
    powers = np.unique((real**2 + imaginary**2).astype(np.uint64))
    bundle = random_bundle(EVEN, 3)
    count = len(bundle.tensors["features.thresholds"])
    bundle.tensors["features.thresholds"] = powers[np.linspace(1, len(powers) - 1, count).astype(int)]
    write_bundle(bundle, tmp_path / "bundle")
    host = HostLibrary(generate(bundle, tmp_path / "library"), trace=True, flags=("-O1",), build_dir=tmp_path)
    expected = reference.run(bundle, audio, trace=True)
    assert set(range(1, count + 1)) <= set(expected.trace["features"].ravel().tolist())
    assert_same(expected, host.run(audio, trace=True))
