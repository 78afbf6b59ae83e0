# SPDX-License-Identifier: Apache-2.0
"""Other optimization than that of the images: the same words on every core, and what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundles import random_bundle
from libraries import SMALL, assert_same, library
from signals import speech_like

from dyncp.base.config.experiment import load_config
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.integers import reference
from dyncp.firmware.building import elf
from dyncp.firmware.building.boards import Board, default_boards, select
from dyncp.firmware.building.image import build
from dyncp.firmware.emulators.counting import Marks, build_plugin, mark_symbols, read_counts
from dyncp.firmware.emulators.emulate import stream

FRAMES = 6


def instructions(bundle: Bundle, folder: Path, board: Board, work: Path, options: tuple[str, ...]) -> float:
    """Mean of a frame on `board`, whose every word is the reference's."""
    listed = stages(bundle.config, bundle.probe_outputs)
    image = build(folder, board, work, "marks", 0, options)
    marks = Marks(build_plugin(work), tuple(elf.addresses(image.elf, mark_symbols(len(listed)))), "marks.bin")
    pcm, outputs = speech_like(FRAMES), bundle.probe_outputs
    run, _ = stream(image, pcm, bundle.config, listed, outputs=outputs, trace=False, timeout_s=300, marks=marks)
    assert_same(reference.run(bundle, pcm), run)
    return float(read_counts(work / marks.out, [stage.name for stage in listed], FRAMES).total.mean())


@pytest.mark.slow
@pytest.mark.parametrize("board", default_boards(), ids=lambda board: board.core)
@pytest.mark.parametrize("site", ["output", "hidden"])
@pytest.mark.parametrize("optimize", ["-Os", "-O0"])
def test_every_core_is_exact(tmp_path: Path, board: Board, site: str, optimize: str) -> None:
    config = SMALL.model_copy(update={"gate_site": site, "pooling": "ema" if site == "hidden" else "window"})
    bundle, folder = library(tmp_path, config)
    instructions(bundle, folder, board, tmp_path / "work", (optimize,))


@pytest.mark.slow
def test_the_switch_undoes_the_option(tmp_path: Path) -> None:
    bundle = random_bundle(load_config("steady").network, seed=0)
    write_bundle(bundle, tmp_path / "bundle")
    folder = generate(bundle, tmp_path / "library")
    [board] = select(["cortex-m4"])
    for_speed, for_size, switched = (
        instructions(bundle, folder, board, tmp_path / f"work{i}", options)
        for i, options in enumerate([("-O2",), ("-Os",), ("-Os", "-DDYNCP_OPTIMIZE")])
    )
    assert for_size > 1.05 * for_speed, "there must be something to undo"
    assert switched < 1.02 * for_speed
