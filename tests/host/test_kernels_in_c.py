# SPDX-License-Identifier: Apache-2.0
"""Both kinds of kernels in C, compiled for the host, on few networks that between them reach every line."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from kernel_networks import NETWORKS, Case, case, met_thresholds
from libraries import assert_same

from dyncp.codegen.generate import generate
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run
from dyncp.firmware.host.library import HostLibrary

pytestmark = pytest.mark.slow


@cache
def expected(network: str) -> tuple[Case, Run]:
    bundle, audio = case(network)
    return (bundle, audio), reference.run(bundle, audio, trace=True)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("kernels", ["PORTABLE", "DSP"])
def test_both_kinds_of_kernels(tmp_path: Path, network: str, kernels: Literal["PORTABLE", "DSP"]) -> None:
    (bundle, audio), words = expected(network)
    library = generate(bundle, tmp_path / "library")
    host = HostLibrary(library, trace=True, flags=("-O1", f"-DDYNCP_{kernels}"), build_dir=tmp_path)
    assert_same(words, host.run(audio, trace=True))


def test_a_power_that_is_a_threshold_reaches_it(tmp_path: Path) -> None:
    bundle, audio = met_thresholds()
    host = HostLibrary(generate(bundle, tmp_path / "library"), trace=True, flags=("-O1",), build_dir=tmp_path)
    words = reference.run(bundle, audio, trace=True)
    count = len(bundle.tensors["features.thresholds"])
    assert set(range(1, count + 1)) <= set(words.trace["features"].ravel().tolist())
    assert_same(words, host.run(audio, trace=True))
