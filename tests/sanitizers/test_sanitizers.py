# SPDX-License-Identifier: Apache-2.0
"""No undefined behaviour and no access out of bounds, on the hardest audio, under the sanitizers of both compilers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from libraries import difficult_audio, library, program
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference

SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
UNEVEN = NetworkConfig(channels=33, hidden=40, gate=3, stacks=1, dilations=(1, 3), pooling_frames=6)


@pytest.fixture(
    scope="module",
    params=[
        (site, pooling, compiler, kernels)
        for site, pooling in (("output", "window"), ("hidden", "ema"), ("hidden", "gate"))
        for compiler in ("gcc", "clang")
        for kernels in ("PORTABLE", "DSP")
    ],
    ids="-".join,
)
def sanitized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Path]:
    site, pooling, compiler, kernels = request.param
    folder = tmp_path_factory.mktemp("sanitized")
    frames = (3, 6, 40) if pooling == "gate" else 6
    config = UNEVEN.model_copy(update={"gate_site": site, "pooling": pooling, "pooling_frames": frames})
    bundle, made = library(folder, config, seed=5)
    sources = [Path(__file__).parent / "sanitized.c", made / "dyncp.c"]
    extra = ("-fsanitize=integer", "-fno-sanitize=unsigned-integer-overflow,unsigned-shift-base")
    flags = (*SANITIZE, f"-DDYNCP_{kernels}", *(() if compiler == "gcc" else extra))
    return bundle, program(folder / "program", sources, include=[made], compiler=compiler, flags=flags)


def stream(built: Path, audio: NDArray[np.int16], *arguments: str) -> NDArray[np.int16]:
    done = subprocess.run([built, *arguments], input=audio.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return np.frombuffer(done.stdout, dtype="<i2")


@pytest.mark.slow
def test_no_report_and_the_same_output(sanitized: tuple[Bundle, Path]) -> None:
    bundle, built = sanitized
    for seed in range(2):
        audio = difficult_audio(seed)
        np.testing.assert_array_equal(stream(built, audio), reference.run(bundle, audio).output)


@pytest.mark.slow
def test_reset_in_mid_stream_equals_a_fresh_start(sanitized: tuple[Bundle, Path]) -> None:
    _, built = sanitized
    audio = difficult_audio(3)
    np.testing.assert_array_equal(stream(built, audio, "20"), stream(built, audio[20 * 256 :]))


def test_the_sanitizers_do_report(tmp_path: Path) -> None:
    """A planted error: a dense layer that reads one row too many."""
    _, made = library(tmp_path, UNEVEN)
    kernels = made / "dyncp_portable.h"
    kernels.write_text(kernels.read_text().replace("r < layer->rows", "r <= layer->rows"))
    sources = [Path(__file__).parent / "sanitized.c", made / "dyncp.c"]
    built = program(tmp_path / "program", sources, include=[made], flags=SANITIZE)
    done = subprocess.run([built], input=difficult_audio().tobytes(), capture_output=True, check=False)
    assert done.returncode != 0
    assert b"Sanitizer" in done.stderr or b"runtime error" in done.stderr
