# SPDX-License-Identifier: Apache-2.0
"""The examples of interrupts and tasks: on every emulated core their samples are the reference's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from libraries import SMALL, difficult_audio, library

from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.firmware.building.boards import Board, default_boards
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.emulators.emulate import run_image

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "realtime"
FREERTOS = ROOT / "tests" / "build_systems" / "declared" / "freertos"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Path]:
    return library(tmp_path_factory.mktemp("realtime"), SMALL, seed=8)


@pytest.mark.parametrize("board", default_boards(), ids=lambda board: board.core)
def test_what_the_interrupts_move_is_enhanced(made: tuple[Bundle, Path], board: Board, tmp_path: Path) -> None:
    bundle, folder = made
    pcm = difficult_audio()
    options = (f"-I{folder}", f"-I{EXAMPLES}")
    sources = (folder / "dyncp.c", EXAMPLES / "audio_files.c")
    shared = [compile_source(source, board, tmp_path, options) for source in sources]
    for name in ("in_main", "in_interrupt"):
        work = tmp_path / name
        elf = link(board, [*shared, compile_source(EXAMPLES / f"{name}.c", board, work, options)], work)
        (work / "in.pcm").write_bytes(pcm.tobytes())
        run_image(elf, board, (), timeout_s=120)
        assert np.array_equal(np.fromfile(work / "out.pcm", "<i2"), reference.run(bundle, pcm).output), name
    compile_source(EXAMPLES / "in_task.c", board, tmp_path, (*options, f"-I{FREERTOS}"))
