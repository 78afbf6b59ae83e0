# SPDX-License-Identifier: Apache-2.0
"""Unicorn runs the images that QEMU runs: the same words, files and instruction counts, or an error that says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from signals import speech_like

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ConfigError, ToolchainError
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import write_bundle
from dyncp.export.integers import reference
from dyncp.firmware.building import elf
from dyncp.firmware.building.boards import Board, default_boards, select
from dyncp.firmware.building.image import build, compile_source, link
from dyncp.firmware.emulators.counting import Marks, build_plugin, mark_symbols, read_counts, read_events
from dyncp.firmware.emulators.emulate import CONSOLE, MEMORY, RECORDS, run_image, stream
from dyncp.firmware.emulators.names import Emulator
from dyncp.firmware.proof.cross_check import FRAMES, cross_check
from dyncp.firmware.proof.task import Task
from dyncp.firmware.proof.validate import validate

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CONFIG = NetworkConfig(channels=8, hidden=16, stacks=1, dilations=(1, 2), gate=4, pooling_frames=3)
MODELLED = [board for board in default_boards() if board.emulators.unicorn]
M4 = select(["cortex-m4"])[0]


def program(text: str, board: Board, folder: Path) -> Path:
    source = folder / "program.c"
    source.write_text(f'#include "semihosting.h"\n{text}')
    return link(board, [compile_source(source, board, folder)], folder)


def test_four_cores_are_modelled() -> None:
    assert [board.core for board in MODELLED] == ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"]


@pytest.mark.parametrize("board", MODELLED, ids=lambda board: board.core)
def test_counts_are_qemus(board: Board, tmp_path: Path) -> None:
    image = link(board, [compile_source(HERE / "counted.S", board, tmp_path)], tmp_path)
    names = ["counted_loop", "counted_line", "counted_calls", "counted_end", "counted_inside", "counted_line"]
    marks = Marks(build_plugin(tmp_path), tuple(elf.addresses(image, names)), "marks.bin")
    run_image(image, board, [], timeout_s=60, marks=marks)
    expected = read_events(tmp_path / "marks.bin")
    run_image(image, board, [], timeout_s=60, marks=marks, emulator=Emulator.UNICORN)
    assert np.array_equal(read_events(tmp_path / "marks.bin"), expected)
    assert len(expected) == 1014


def make_task(tmp_path: Path, frames: int) -> Task:
    bundle, pcm = random_bundle(CONFIG, seed=2), speech_like(frames)
    write_bundle(bundle, tmp_path / "bundle")
    library = generate(bundle, tmp_path / "library")
    listed = stages(CONFIG, bundle.probe_outputs)
    return Task(
        bundle=bundle,
        library=library,
        pcm=pcm,
        expected=reference.run(bundle, pcm),
        listed=listed,
        work=tmp_path,
        trace=False,
        cycles=False,
        timeout_s=60.0,
        emulators=[Emulator.UNICORN],
    )


def test_what_differs_is_counted(tmp_path: Path) -> None:
    """A reference with one other word, a QEMU with one other count; audio beyond the first frames is left out."""
    task = make_task(tmp_path, FRAMES + 3)
    names = [stage.name for stage in task.listed]
    image = build(task.library, M4, tmp_path / "cortex-m4/marks", "marks", 0)
    marks = Marks(build_plugin(tmp_path), tuple(elf.addresses(image.elf, mark_symbols(len(names)))), "marks.bin")
    stream(image, task.pcm, CONFIG, task.listed, outputs=5, trace=False, timeout_s=60, marks=marks)
    counts = read_counts(image.elf.parent / "marks.bin", names, FRAMES + 3)
    check = cross_check(task, Emulator.UNICORN, image, counts, marks)
    assert check.exact
    assert check.frames == FRAMES
    for name in (RECORDS, "marks.bin"):
        qemu = (image.elf.parent / name).read_bytes()
        unicorn = (tmp_path / "cortex-m4/unicorn" / name).read_bytes()
        assert len(unicorn) * (FRAMES + 3) == len(qemu) * FRAMES
        assert qemu.startswith(unicorn)
    assert (tmp_path / "cortex-m4/unicorn" / MEMORY).read_bytes() == (image.elf.parent / MEMORY).read_bytes()

    output = task.expected.output.copy()
    output[7 * HOP + 3] ^= 1
    counts.stages["features"][[4, 9, FRAMES]] += 1
    check = cross_check(
        replace(task, expected=replace(task.expected, output=output)), Emulator.UNICORN, image, counts, marks
    )
    assert (check.mismatches.total, check.mismatches.output, check.miscounted_frames) == (1, 1, 2)
    assert check.first_divergence is not None
    assert (check.first_divergence.frame, check.first_divergence.stage, check.first_divergence.channel) == (
        7,
        "output",
        3,
    )
    assert not check.exact


@pytest.mark.parametrize("gate_site", ["output", "hidden"])
def test_validation_in_both(gate_site: str, tmp_path: Path) -> None:
    config = NetworkConfig.model_validate({**CONFIG.model_dump(), "gate_site": gate_site})
    bundle = random_bundle(config, seed=3)
    write_bundle(bundle, tmp_path / "bundle")
    library = generate(bundle, tmp_path / "library")
    record = validate(
        bundle, library, speech_like(5), tmp_path / "out", emulators=[Emulator.QEMU, Emulator.UNICORN], trace=False
    )
    assert record.exact
    checks = {target.name: target.cross_checks for target in record.targets}
    assert checks.pop("cortex-m55") == []
    assert list(checks) == [board.core for board in MODELLED]
    for [check] in checks.values():
        assert check.emulator.startswith("unicorn 2.")
        assert (check.frames, check.mismatches.total, check.miscounted_frames) == (5, 0, 0)


def test_emulator_for_none_of_the_boards(tmp_path: Path) -> None:
    task = make_task(tmp_path, 1)
    with pytest.raises(ConfigError, match="unicorn: has no model of cortex-m55"):
        validate(
            task.bundle, task.library, task.pcm, tmp_path / "out", boards=["cortex-m55"], emulators=[Emulator.UNICORN]
        )


def test_console_arguments_and_status(tmp_path: Path) -> None:
    text = """
int main(void) {
    static char line[32];
    semihosting_command_line(line, 32);
    semihosting_print(line);
    return %d;
}
"""
    image = program(text % 0, M4, tmp_path)
    run_image(image, M4, ["first", "second"], timeout_s=60, emulator=Emulator.UNICORN)
    assert (tmp_path / CONSOLE).read_text() == "first second"
    with pytest.raises(ToolchainError, match="unicorn: status 42\nfirst"):
        run_image(program(text % 42, M4, tmp_path), M4, ["first"], timeout_s=60, emulator=Emulator.UNICORN)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('__asm__ volatile("udf #0");', "unicorn: .* at pc 0x0000"),
        ("return *(volatile int *)0xF0000000u;", r"unicorn: Invalid memory read .* at pc 0x0000.*\nso far"),
        ('for (;;) __asm__ volatile("");', "still running after 2 s"),
        ('return semihosting_open("missing", SEMIHOSTING_READ_BINARY) == -1 ? 43 : 0;', "status 43"),
        ('__asm__ volatile("bkpt 1"); return 0;', "unicorn: exception at pc 0x0000"),
    ],
    ids=["undefined", "unmapped", "hang", "file", "breakpoint"],
)
def test_failures_are_loud(body: str, message: str, tmp_path: Path) -> None:
    image = program(f'int main(void) {{ semihosting_print("so far"); {body} return 0; }}', M4, tmp_path)
    with pytest.raises(ToolchainError, match=message):
        run_image(image, M4, [], timeout_s=2.0, emulator=Emulator.UNICORN)


def test_core_without_a_model(tmp_path: Path) -> None:
    [board] = select(["cortex-m55"])
    with pytest.raises(ToolchainError, match="cortex-m55: Unicorn has no model of this core"):
        run_image(
            program("int main(void) { return 0; }", board, tmp_path), board, [], timeout_s=60, emulator=Emulator.UNICORN
        )
