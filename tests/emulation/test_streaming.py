# SPDX-License-Identifier: Apache-2.0
"""Counting does not change what an image does, and gives the same figures each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bundles import random_bundle

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import write_bundle
from dyncp.export.integers.run import Run
from dyncp.firmware.building import elf
from dyncp.firmware.building.boards import select
from dyncp.firmware.building.image import build
from dyncp.firmware.emulators.counting import Counts, Marks, build_plugin, mark_symbols, read_counts
from dyncp.firmware.emulators.emulate import Figures, stream

CONFIG = NetworkConfig(channels=8, hidden=16, stacks=1, dilations=(1, 2), gate=4, pooling_frames=3)


def test_counting_changes_nothing(tmp_path: Path) -> None:
    bundle = random_bundle(CONFIG, seed=2)
    write_bundle(bundle, tmp_path / "bundle")
    library = generate(bundle, tmp_path / "library")
    listed = stages(CONFIG, bundle.probe_outputs)
    names = [stage.name for stage in listed]
    image = build(library, select(["cortex-m55"])[0], tmp_path / "work", "marks", 0)
    addresses = elf.addresses(image.elf, mark_symbols(len(names)))
    marks = Marks(build_plugin(tmp_path), tuple(addresses), "marks.bin")
    pcm = np.random.default_rng(0).integers(-9000, 9000, 5 * 256).astype(np.int16)

    def run(marks: Marks | None) -> tuple[Run, Figures]:
        return stream(image, pcm, CONFIG, listed, outputs=bundle.probe_outputs, trace=False, timeout_s=60, marks=marks)

    def counted() -> tuple[Run, Figures, Counts]:
        made, figures = run(marks)
        return made, figures, read_counts(tmp_path / "work/marks.bin", names, made.frames)

    plain, plain_figures = run(None)
    first, first_figures, counts = counted()
    second, second_figures, again = counted()
    for made in (first, second):
        for field in ("output", "masks", "words", "signals", "macs", "active"):
            assert np.array_equal(getattr(made, field), getattr(plain, field))
    assert plain_figures == first_figures == second_figures
    assert np.array_equal(counts.total, again.total)
    assert all(np.array_equal(counts.stages[name], again.stages[name]) for name in (*names, "call"))
    assert np.array_equal(sum(counts.stages.values()), counts.total)
