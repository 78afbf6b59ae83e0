# SPDX-License-Identifier: Apache-2.0
"""Libraries of other frames: exact on the host and on emulated cores, as late as they say, and generated alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from framings import EARS, TABLE, framed, name_of
from libraries import SMALL, STRICT, library
from numpy.typing import NDArray

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.controls import Settings
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import select
from dyncp.firmware.building.image import compile_source
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.product.controls import controlled, on_board
from dyncp.firmware.proof.validate import validate

pytestmark = pytest.mark.slow

TINY = NetworkConfig(channels=8, hidden=8, gate=4, stacks=1, dilations=(1, 2), pooling_frames=4)
# Each framing on another core; the first one is that of `ears`.
CORES = ("cortex-m4", "cortex-m55", "cortex-m3", "cortex-m33", "cortex-m7", "cortex-m55", "cortex-m4")
PLACES = list(zip(TABLE, CORES, strict=True))
THROUGH = Settings(strength=0)


def audio(framing: Framing, frames: int) -> NDArray[np.int16]:
    return np.random.default_rng(3).integers(-32768, 32768, frames * framing.hop).astype(np.int16)


def made(folder: Path, framing: Framing, **changes: object) -> tuple[Bundle, Path]:
    return library(folder, framed(TINY, framing, **changes))


@pytest.mark.parametrize("framing", TABLE[1:4], ids=name_of)
def test_the_host_equals_the_reference(framing: Framing, tmp_path: Path) -> None:
    bins = framing.bins
    edges = (0, 1, 2, bins // 4, bins // 2, bins)
    bundle, folder = made(tmp_path, framing, **({"bands": edges, "gate_period": 4} if framing.hop < 128 else {}))
    pcm = audio(framing, 20)
    expected, host = reference.run(bundle, pcm, trace=True), HostLibrary(folder, trace=True, build_dir=tmp_path)
    actual = host.run(pcm, trace=True)
    for stage, values in expected.trace.items():
        np.testing.assert_array_equal(actual.trace[stage], values, err_msg=stage)
    np.testing.assert_array_equal(actual.output, expected.output)


@pytest.mark.parametrize(("framing", "core"), PLACES, ids=[f"{name_of(framing)}-{core}" for framing, core in PLACES])
def test_validate_is_exact(framing: Framing, core: str, tmp_path: Path) -> None:
    bundle, folder = made(tmp_path, framing)
    # Silence too, whose frames are not computed, until a window is full of it.
    silent = framing.analysis // framing.hop + 2
    pcm = np.concatenate([audio(framing, 6), np.zeros(silent * framing.hop, np.int16), audio(framing, 2)])
    record = validate(bundle, folder, pcm, tmp_path / "validation", boards=[core])
    assert record.exact
    assert [target.frames for target in record.targets] == [8 + silent]


@pytest.mark.parametrize("framing", [EARS, STANDARD], ids=name_of)
def test_an_impulse_is_as_late_as_the_library_says(framing: Framing, tmp_path: Path) -> None:
    """On the host and in the emulated Cortex-M4, with nothing suppressed: docs/network.md tells this figure in ms."""
    _, folder = made(tmp_path, framing)
    frames, at = framing.overlaps + 3, framing.hop + 7
    pcm = np.zeros(frames * framing.hop, np.int16)
    pcm[at] = 20000
    bundle, _ = made(tmp_path / "again", framing)
    expected = controlled(bundle, pcm, [THROUGH] * frames)
    heard = expected.run.output
    stream = HostLibrary(folder, build_dir=tmp_path).stream()
    stream.set_controls(THROUGH)
    np.testing.assert_array_equal(stream.run(pcm).output, heard)
    (board,) = select(["cortex-m4"])
    compiled = compile_source(folder / "dyncp.c", board, tmp_path)
    assert on_board(folder, compiled, board, expected, tmp_path, 60.0) == 0
    assert np.abs(heard.astype(int)).argmax() - at == framing.delay
    assert f"#define DYNCP_DELAY {framing.delay} " in (folder / "dyncp.h").read_text()
    # Of what is heard with the frame that a sample completes, the oldest is a hop and the delay old.
    assert 1000 * (framing.delay + framing.hop) / 16000 == framing.latency_ms


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_what_is_generated_compiles_without_a_warning(compiler: str, tmp_path: Path) -> None:
    _, folder = made(tmp_path, EARS)
    for options in ((), ("-DDYNCP_DSP",)):
        toolchain.run([compiler, *STRICT, "-O1", *options, "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


def test_only_other_frames_bring_their_header(tmp_path: Path) -> None:
    _, standard = library(tmp_path / "standard", SMALL)
    _, ears = made(tmp_path / "ears", EARS)
    assert not (standard / "dyncp_frames.h").exists()
    assert (ears / "dyncp_frames.h").exists()
    assert "frame" not in {word for line in (standard / "dyncp.c").read_text().splitlines() for word in line.split("_")}
