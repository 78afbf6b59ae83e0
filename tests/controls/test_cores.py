# SPDX-License-Identifier: Apache-2.0
"""Every core that is validated also runs a pass in which settings change; a control that is wrong is found out."""

from __future__ import annotations

from pathlib import Path

import pytest
from libraries import SMALL, library
from networks import BANDS
from signals import speech_like

from dyncp.base.paths import find_bundle
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import read_bundle
from dyncp.firmware.building.boards import Board, load_boards
from dyncp.firmware.building.image import compile_source
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.product.controls import controlled, on_board, on_host

CORES = [board for board in load_boards() if board.core in {"cortex-m0", "cortex-m3", "cortex-m7", "cortex-m55"}]
BANDED = SMALL.model_copy(update={"bands": BANDS, "gate_site": "hidden", "pooling": "ema", "gate_period": 2})


@pytest.mark.slow
@pytest.mark.parametrize("network", ["bins", "bands"])
@pytest.mark.parametrize("board", CORES, ids=lambda board: board.core)
def test_cores_equal_the_reference(tmp_path: Path, board: Board, network: str) -> None:
    bundle, folder = library(tmp_path, SMALL if network == "bins" else BANDED)
    expected = controlled(bundle, speech_like(40))
    assert on_board(folder, compile_source(folder / "dyncp.c", board, tmp_path), board, expected, tmp_path, 300.0) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "core"),
    [
        ("tiny", "cortex-m0"),
        ("tiny", "cortex-m4"),
        ("tiny", "cortex-m55"),
        ("small", "cortex-m4"),
        ("small", "cortex-m55"),
    ],
)
def test_shipped_networks_with_bands(tmp_path: Path, network: str, core: str) -> None:
    bundle = read_bundle(find_bundle(Path(network)))
    board = next(board for board in load_boards() if board.core == core)
    folder = generate(bundle, tmp_path / "library")
    expected = controlled(bundle, speech_like(40))
    assert bundle.config.bands is not None
    assert on_board(folder, compile_source(folder / "dyncp.c", board, tmp_path), board, expected, tmp_path, 300.0) == 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(mask[k] > least) ? mask[k] : least", "mask[k]"),
        ("(less * share) >> 15", "less * share >> 14"),
        ("(way > 0) ? up : down", "way > 0 ? down : up"),
        ("DCP_FADE_STEP 4096u", "DCP_FADE_STEP 2048u"),
    ],
)
def test_a_wrong_control_is_noticed(tmp_path: Path, right: str, wrong: str) -> None:
    bundle, folder = library(tmp_path)
    header = folder / "dyncp_controls.h"
    text = header.read_text()
    assert text.count(right) == 1
    header.write_text(text.replace(right, wrong))
    host = HostLibrary(folder, flags=("-O1",), build_dir=tmp_path)
    assert on_host(host, controlled(bundle, speech_like(40))) > 0
