# SPDX-License-Identifier: Apache-2.0
"""The API from C: statuses, signals, and sizes that were known before compiling."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from libraries import SMALL, difficult_audio, library, program

from dyncp.base.config.network import NetworkConfig
from dyncp.base.tasks import Period
from dyncp.codegen.accounting import macs_by_layer, memory
from dyncp.export.integers import reference
from dyncp.export.integers.readout import speech_valid
from dyncp.firmware.building import toolchain

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SUPPORT = HERE.parent / "support"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_statuses(tmp_path: Path, compiler: str) -> None:
    _, own = library(tmp_path)
    _, other = library(tmp_path, seed=1, prefix="other")
    sources = [HERE / "calls.c", own / "dyncp.c", other / "other.c"]
    built = program(tmp_path / "calls", sources, include=[own, other, SUPPORT], compiler=compiler)
    done = subprocess.run([built], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("periods", [(1, 1, 1), (1, 4, 2), (2, 1, 16), (8, 8, 8)])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_signals(tmp_path: Path, compiler: str, periods: Sequence[Period]) -> None:
    bundle, folder = library(tmp_path, periods=periods)
    sources = [HERE / "signals.c", folder / "dyncp.c"]
    built = program(tmp_path / "signals", sources, include=[folder], compiler=compiler)
    audio = difficult_audio()
    done = subprocess.run([built], input=audio.tobytes(), capture_output=True, check=True)
    printed = np.array([line.split() for line in done.stdout.splitlines()], dtype=np.int64)

    expected = reference.run(bundle, audio)
    vad, noise, snr = expected.signals[:, 0], expected.signals[:, 1:4], expected.signals[:, 4]
    # A speech task is valid from the frame that fills the pooling on, where voice activity is positive.
    valid = (vad > 0) & (np.arange(len(vad)) >= SMALL.pooling_frames - 1)
    assert 0 < valid.sum() < (vad > 0).sum()
    columns = [expected.macs, expected.active, vad, vad > 0, *noise.T, noise.argmax(axis=1), snr, valid]
    np.testing.assert_array_equal(printed, np.stack(columns, axis=1))
    assert bundle.probes is not None
    np.testing.assert_array_equal(speech_valid(expected.signals, bundle.probes, 5), valid)
    for values, period in zip((vad, noise, snr), periods, strict=True):
        frames = np.arange(len(values))
        np.testing.assert_array_equal(values, values[frames - frames % period])


def test_the_header_says_what_the_signals_are(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    built = program(tmp_path / "signals", [HERE / "signals.c", folder / "dyncp.c"], include=[folder])
    done = subprocess.run([built, "header"], capture_output=True, text=True, check=True)
    lines = ["vad 8 log-odds", "noise 8 score 0 1 2", "snr 8 dB", f"set 1 {bundle.probes_hash}"]
    assert done.stdout.splitlines() == lines


def test_state_is_as_large_as_accounted(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    done = subprocess.run(
        [program(tmp_path / "sizes", [HERE / "sizes.c"], include=[folder])],
        capture_output=True,
        text=True,
        check=True,
    )
    measured = {name: int(size) for name, size in (line.split() for line in done.stdout.splitlines())}
    use = memory(bundle)
    assert measured == {"total": use.state_total, "scratch": use.scratch} | use.state


@pytest.mark.parametrize("site", ["output", "hidden"])
@pytest.mark.parametrize("probes", ["int8", "int16"])
def test_constants_are_as_large_as_accounted(
    tmp_path: Path, site: Literal["output", "hidden"], probes: Literal["int8", "int16"]
) -> None:
    bundle, folder = library(tmp_path, SMALL.model_copy(update={"gate_site": site}), probes=probes)
    target = tmp_path / "dyncp.o"
    toolchain.run(["gcc", "-std=c99", "-O0", "-c", folder / "dyncp.c", "-o", target])
    sizes = {"weights": 0, "tables": 0, "probes": 0}
    for line in toolchain.run(["nm", "--print-size", target]).splitlines():
        name, size = line.split()[-1], int(line.split()[1], 16) if len(line.split()) == 4 else 0
        if name.startswith("dyncp_probe_") and name != "dyncp_probe_words":
            sizes["probes"] += size
        elif name.endswith(("_weight", "_bias", "_multiplier")):
            sizes["weights"] += size
        elif name in {"dyncp_window", "dyncp_twiddle", "dyncp_sigmoid", "dyncp_thresholds", "dyncp_starts"}:
            sizes["tables"] += size
    use = memory(bundle)
    # Each block's input multiplier, and that of the back, are constants in the code.
    immediates = 4 * (bundle.config.blocks + 1)
    assert sizes == {"weights": use.weights - immediates, "tables": use.tables, "probes": use.probes}


@pytest.mark.parametrize("site", ["output", "hidden"])
def test_macs_by_layer_add_up(site: Literal["output", "hidden"]) -> None:
    for config in (NetworkConfig(gate_site=site), SMALL.model_copy(update={"gate_site": site})):
        layers = macs_by_layer(config)
        assert sum(layer.dense for layer in layers) == config.macs(0)
        per_block = sum(layer.per_active for layer in layers)
        assert per_block == config.blocks * config.macs_per_channel
    if site == "output":
        assert sum(layer.dense + layer.per_active * 128 for layer in macs_by_layer(NetworkConfig())) == 699_392
