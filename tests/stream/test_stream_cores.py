# SPDX-License-Identifier: Apache-2.0
"""P_stream.h on emulated cores, without and with DSP instructions and Helium, and how it compiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from libraries import STRICT, library
from signals import speech_like

from dyncp.codegen.generate import generate
from dyncp.export.integers import streaming
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board, load_boards
from dyncp.firmware.proof.product.streaming import Case, on_board

CORES = [board for board in load_boards() if board.core in {"cortex-m3", "cortex-m4", "cortex-m55"}]
CASES = {
    "16 kHz": Case(block=160),
    "48 kHz, even": Case(block=480, wide=True, even=True),
    "float": Case(block=1, kind=0),
    "pair": Case(block=512, channels=2, pair=True),
    "pair at 48 kHz, int32": Case(block=64, kind=32, channels=2, pair=True, wide=True),
}


@pytest.mark.slow
@pytest.mark.parametrize("board", CORES, ids=lambda board: board.core)
def test_cores_equal_the_reference(tmp_path: Path, board: Board) -> None:
    bundle, _ = library(tmp_path)
    folder = generate(bundle, tmp_path / "stream", stream=True)
    for case in CASES.values():
        count = 1700 * (3 if case.wide else 1)
        pcm = np.stack([speech_like(count // 256 + 1, seed)[:count] for seed in range(case.channels)], axis=-1)
        pcm = pcm.reshape(-1) if case.channels == 1 else pcm
        expected = streaming.stream(bundle, pcm, wide=case.wide, even=case.even)
        made, instructions = on_board(folder, board, case, pcm, tmp_path / board.core, 300.0)
        np.testing.assert_array_equal(made, expected)
        assert len(instructions) == count // case.block + 1


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_no_warning_and_nothing_external_but_the_api(tmp_path: Path, compiler: str) -> None:
    bundle, _ = library(tmp_path)
    folder, target = generate(bundle, tmp_path / "stream", stream=True), tmp_path / "stream.o"
    for flags in (("-O0",), ("-O3",), ("-Os", "-DDYNCP_PORTABLE")):
        toolchain.run([compiler, *STRICT, *flags, "-c", folder / "dyncp_stream.c", "-o", target])
    lines = (line.split()[-2:] for line in toolchain.run(["nm", target]).splitlines())
    exported = sorted(name for kind, name in lines if kind not in "trU")
    assert exported == [f"dyncp_stream_{name}" for name in ("delay", "float", "init", "int16", "int32")]


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_the_header_in_cpp(tmp_path: Path, compiler: str) -> None:
    bundle, _ = library(tmp_path)
    folder = generate(bundle, tmp_path / "stream", stream=True)
    source = tmp_path / "program.cpp"
    source.write_text('#include "dyncp_stream.h"\nstatic dyncp_stream stream;\nuint32_t delay();\n')
    source.write_text(source.read_text() + "uint32_t delay() { return dyncp_stream_delay(&stream); }\n")
    flags = ["-std=c++11", *toolchain.WARNINGS, "-Wpedantic", "-Wold-style-cast", f"-I{folder}"]
    toolchain.run([compiler, *flags, "-c", source, "-o", tmp_path / "program.o"])


@pytest.mark.parametrize("shared_scratch", [False, True])
def test_emitted_as_clang_format_would(tmp_path: Path, shared_scratch: bool) -> None:
    bundle, _ = library(tmp_path)
    folder = generate(bundle, tmp_path / "stream", stream=True, shared_scratch=shared_scratch)
    style = f"--style=file:{Path(__file__).parents[2] / '.clang-format'}"
    toolchain.run(["clang-format", style, "--dry-run", "--Werror", *folder.glob("dyncp_stream.*"), folder / "dyncp.h"])


def test_without_it_a_library_has_no_file_of_it(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    names = {path.name for path in generate(bundle, folder, stream=True).iterdir()}
    added = {"dyncp_stream.h", "dyncp_stream.c", "dyncp_resample.h", "dyncp_resampler.h"}
    assert names - {path.name for path in generate(bundle, folder).iterdir()} == added
