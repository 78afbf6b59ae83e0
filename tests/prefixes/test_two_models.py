# SPDX-License-Identifier: Apache-2.0
"""Two models with prefixes of their own link into one program and do not disturb each other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from libraries import SMALL, difficult_audio, library, program

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.generate import generate
from dyncp.export.integers import reference

pytestmark = pytest.mark.slow

OTHER = NetworkConfig(
    channels=9,
    hidden=35,
    gate=2,
    stacks=1,
    dilations=(3,),
    gate_site="hidden",
    pooling="ema",
    pooling_frames=8,
)


@pytest.mark.parametrize("together", [False, True], ids=["two folders", "one folder"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_interleaved_models_each_equal_their_own_run(tmp_path: Path, compiler: str, together: bool) -> None:
    """In one folder they share the runtime's headers."""
    first, first_folder = library(tmp_path, SMALL, seed=1, prefix="first")
    second, second_folder = library(tmp_path, OTHER, seed=2, probes=None, prefix="second")
    if together:
        generate(second, first_folder, "second")
        second_folder = first_folder
    sources = [Path(__file__).parent / "interleaved.c", first_folder / "first.c", second_folder / "second.c"]
    built = program(tmp_path / "program", sources, include=[first_folder, second_folder], compiler=compiler)
    audio = difficult_audio()
    done = subprocess.run([built], input=audio.tobytes(), capture_output=True, check=True)

    fields = [("first_out", "<i2", 256), ("first_masks", "<u4", SMALL.mask_words)]
    fields += [("second_out", "<i2", 256), ("second_masks", "<u4", OTHER.mask_words)]
    frames = np.frombuffer(done.stdout, dtype=fields)
    for name, bundle in (("first", first), ("second", second)):
        expected = reference.run(bundle, audio)
        np.testing.assert_array_equal(frames[f"{name}_out"].ravel(), expected.output)
        np.testing.assert_array_equal(frames[f"{name}_masks"], expected.masks)


@pytest.mark.parametrize("prefix", ["a", "MyModel", "x9_y", "p" * 31])
def test_any_prefix_compiles_and_names_everything(tmp_path: Path, prefix: str) -> None:
    _, folder = library(tmp_path, prefix=prefix)
    built = program(tmp_path / "library.o", [folder / f"{prefix}.c"], flags=("-O1", "-c"))
    names = subprocess.run(["nm", "-g", "--defined-only", built], capture_output=True, text=True, check=True)
    exported = sorted(line.split()[-1] for line in names.stdout.splitlines())
    functions = ["init", "set_cap", "process", "step", "follow", "masks", "gains", "probe_words", "signal_words"]
    functions += ["status_text", "version", "get_settings"]
    functions += [f"set_{name}" for name in ("limit", "strength", "smoothing", "bypass", "vad", "decision")]
    assert exported == sorted(f"{prefix}_{name}" for name in functions)
    header = (folder / f"{prefix}.h").read_text()
    macros = [line.split()[1] for line in header.splitlines() if line.startswith("#define")]
    assert all(macro.startswith(prefix.upper() + "_") for macro in macros)
