# SPDX-License-Identifier: Apache-2.0
"""Generated libraries of random bundles, and C programs compiled around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from bundles import ProbeWidth, random_bundle
from numpy.typing import NDArray
from signals import EXTREMES, HOP, extreme, speech_like

import dyncp.firmware
from dyncp.base.config.network import NetworkConfig
from dyncp.base.tasks import Period
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.integers.run import Run
from dyncp.firmware.building import toolchain

STRICT = ("-std=c99", *toolchain.WARNINGS, "-Wpedantic")
"""Under these the emitted C and the C of the tests must be clean."""

_FIRMWARE = Path(dyncp.firmware.__file__).parent
_RUNTIME = _FIRMWARE / "runtime"
_BESIDE = (_FIRMWARE / "in_place", _FIRMWARE / "taps")
RUNTIME = (_RUNTIME, *sorted(folder for folder in _RUNTIME.iterdir() if folder.is_dir()), *_BESIDE)
"""The folders of the hand-written headers, which a generated library has in one."""

Kernel = Callable[..., int]
"""A function of the runtime, by name and arguments (tests/kernels)."""

SMALL = NetworkConfig(channels=12, hidden=20, gate=3, stacks=1, dilations=(1, 2), pooling_frames=5)


def written_bundle(
    folder: Path,
    config: NetworkConfig = SMALL,
    seed: int = 0,
    probes: ProbeWidth | None = "int8",
    periods: Sequence[Period] = (1, 1, 1),
) -> Bundle:
    bundle = random_bundle(config, seed, probes, periods)
    write_bundle(bundle, folder)
    return bundle


def library(
    folder: Path,
    config: NetworkConfig = SMALL,
    seed: int = 0,
    probes: ProbeWidth | None = "int8",
    prefix: str = "dyncp",
    periods: Sequence[Period] = (1, 1, 1),
) -> tuple[Bundle, Path]:
    """A random bundle and its library, both below `folder`."""
    bundle = written_bundle(folder / f"bundle-{prefix}", config, seed, probes, periods)
    return bundle, generate(bundle, folder / prefix, prefix)


def difficult_audio(seed: int = 0) -> NDArray[np.int16]:
    """Every extreme of `signals`, loud noise and speech, some hundred frames in all."""
    loud = np.random.default_rng(seed).integers(-32768, 32768, 24 * HOP).astype(np.int16)
    parts = [extreme(name, 8) for name in EXTREMES]
    return np.concatenate([loud, *parts, speech_like(30, seed), speech_like(10, seed, level_dbfs=-60.0)])


def assert_same(expected: Run, actual: Run) -> None:
    """All words equal; where both were traced, the message names the first stage that differs."""
    if expected.trace and actual.trace:
        assert list(actual.trace) == list(expected.trace)
        for stage, values in expected.trace.items():
            np.testing.assert_array_equal(actual.trace[stage], values, err_msg=stage, strict=True)
    for name in ("output", "masks", "words", "signals", "macs", "active"):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name), err_msg=name, strict=True)


def program(
    target: Path,
    sources: Sequence[Path],
    *,
    include: Sequence[Path] = (),
    compiler: str = "gcc",
    flags: Sequence[str] = ("-O2",),
) -> Path:
    """Compile C sources, every warning an error, into the program or, by `flags`, the shared library `target`."""
    folders = [f"-I{folder}" for folder in include]
    toolchain.run([compiler, *STRICT, *flags, *folders, *sources, "-o", target])
    return target
