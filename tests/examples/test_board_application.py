# SPDX-License-Identifier: Apache-2.0
"""The application of examples/board on every emulated core: what the headphones get is what `dyncp enhance` writes."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from command import dyncp
from libraries import SMALL, difficult_audio, library
from numpy.typing import NDArray
from shipped import shipped_bundle
from signals import speech_like

from dyncp.base.audio import read_pcm, write_pcm
from dyncp.base.config.framing import HOP
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.firmware.building.boards import Board, default_boards

PROGRAM = Path(__file__).parents[2] / "examples" / "board" / "run.py"
PRESSED = [3, 11, 12, 20]
"""Blocks in which the button is down: one press lasts for two."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = spec_from_file_location("run", PROGRAM)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Path]:
    return library(tmp_path_factory.mktemp("board"), SMALL, seed=7)


def expected(bundle: Bundle, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    """Enhanced, and from the third block to the eleventh, and from the twentieth on, noisy with the same delay."""
    heard = reference.run(bundle, pcm).output.copy()
    late = np.concatenate([np.zeros(HOP, np.int16), pcm[:-HOP]])
    for begin, end in ((3, 11), (20, len(pcm) // HOP)):
        heard[begin * HOP : end * HOP] = late[begin * HOP : end * HOP]
    return heard


@pytest.mark.parametrize("board", default_boards(), ids=lambda board: board.core)
def test_the_headphones_get_the_references_samples(
    program: ModuleType, made: tuple[Bundle, Path], board: Board, tmp_path: Path
) -> None:
    pcm = difficult_audio()
    elf = program.build(made[1], board, tmp_path)
    assert np.array_equal(program.listen(elf, board, pcm, PRESSED), expected(made[0], pcm))


def test_a_file_sounds_as_enhance_makes_it(tmp_path: Path) -> None:
    bundle = shipped_bundle("small", tmp_path / "bundle")
    generate(bundle, tmp_path / "library")
    write_pcm(tmp_path / "noisy.wav", speech_like(60, seed=5)[:-70])
    words = [PROGRAM, tmp_path / "library", tmp_path / "noisy.wav", tmp_path / "board.wav"]
    subprocess.run([sys.executable, *words], check=True, timeout=300)
    dyncp("enhance", tmp_path / "noisy.wav", tmp_path / "host.wav", "--bundle", tmp_path / "bundle")
    assert np.array_equal(read_pcm(tmp_path / "board.wav"), read_pcm(tmp_path / "host.wav"))
