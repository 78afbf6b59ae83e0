# SPDX-License-Identifier: Apache-2.0
"""A further probe set reads the masks of a library: both in one program, with the network's weights once."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL, STRICT, difficult_audio, program
from numpy.typing import NDArray
from typer.testing import CliRunner

from dyncp.base.config.framing import HOP
from dyncp.base.errors import GenerationError, ToolchainError
from dyncp.cli import commands
from dyncp.codegen.generate import generate, generate_reader, read_library, with_signals
from dyncp.export.formats.bundle import Bundle, read_bundle, write_bundle
from dyncp.export.formats.probe_set import restrict
from dyncp.export.integers import reference
from dyncp.export.integers.controls import Decision, choose
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import load_boards
from dyncp.firmware.building.image import APP, compile_source, link
from dyncp.firmware.emulators.emulate import run_image

HERE = Path(__file__).parent
SOURCE = HERE / "second_set.c"
ON_HOST = HERE.parent / "stream"
"""Semihosting's calls on the host."""


@pytest.fixture
def both(tmp_path: Path) -> tuple[Bundle, Bundle, Path]:
    """Two bundles of one network, and a folder with the library of the first and the probe set of the second."""
    day = random_bundle(SMALL, 2)
    night = replace(day, probes=random_bundle(SMALL, 9, "int16").probes)
    assert night.probes is not None
    scores = reference.run(night, difficult_audio()).signals[:, 1:4]
    night.probes.bias[1:4] -= scores.mean(axis=0).astype(np.int32)
    for bundle, name in ((day, "day"), (night, "night")):
        write_bundle(bundle, tmp_path / name)
    folder = generate(day, tmp_path / "library", signals=["vad", "snr"])
    generate_reader(night, folder, "night", "dyncp", ["noise", "snr"])
    return with_signals(day, ["vad", "snr"]), with_signals(night, ["noise", "snr"]), folder


def expected(day: Bundle, night: Bundle, pcm: NDArray[np.int16]) -> NDArray[np.void]:
    first, second = reference.run(day, pcm), reference.run(night, pcm)
    made = np.zeros(first.frames, record(day, night))
    made["output"], made["day"], made["night"] = first.output.reshape(-1, HOP), first.signals, second.signals
    made["noise"] = choose(second.signals[:, :3], [Decision(40, 3)] * first.frames)
    made["valid"] = np.arange(1, first.frames + 1) >= day.config.warm_up
    assert len(set(made["noise"])) > 1
    assert np.any(made["noise"] != second.signals[:, :3].argmax(axis=1))
    return made


def record(day: Bundle, night: Bundle) -> np.dtype[np.void]:
    counts = day.probe_outputs, night.probe_outputs
    words = [("day", "<i4", counts[:1]), ("night", "<i4", counts[1:]), ("noise", "<i4"), ("valid", "<i4")]
    return np.dtype([("output", "<i2", (HOP,)), *words])


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_on_the_host(tmp_path: Path, both: tuple[Bundle, Bundle, Path], compiler: str) -> None:
    day, night, folder = both
    sources, include = [SOURCE, folder / "dyncp.c", folder / "night.c"], [ON_HOST, APP, folder]
    built = program(tmp_path / "both", sources, include=include, compiler=compiler, flags=("-O2", "-fsanitize=address"))
    pcm = difficult_audio()
    (tmp_path / "in.pcm").write_bytes(pcm.astype("<i2").tobytes())
    assert subprocess.run([built], cwd=tmp_path, check=False).returncode == 0
    told = np.frombuffer((tmp_path / "words.bin").read_bytes(), record(day, night))
    np.testing.assert_array_equal(told, expected(day, night, pcm))


@pytest.mark.slow
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
def test_on_cores(tmp_path: Path, both: tuple[Bundle, Bundle, Path], core: str) -> None:
    day, night, folder = both
    board = next(board for board in load_boards() if board.core == core)
    options = ("-I", str(folder.resolve()), "-I", str(APP))
    sources = [SOURCE, folder / "dyncp.c", folder / "night.c"]
    image = link(board, [compile_source(source, board, tmp_path, options) for source in sources], tmp_path)
    pcm = difficult_audio()[: 60 * HOP]
    (tmp_path / "in.pcm").write_bytes(pcm.astype("<i2").tobytes())
    run_image(image, board, [], timeout_s=300.0)
    told = np.frombuffer((tmp_path / "words.bin").read_bytes(), record(day, night))
    np.testing.assert_array_equal(told, expected(day, night, pcm))


def test_weights_are_there_once_and_the_library_stays_as_it_is(
    tmp_path: Path, both: tuple[Bundle, Bundle, Path]
) -> None:
    _, _, folder = both
    alone = generate(read_bundle(tmp_path / "day"), tmp_path / "alone", signals=["vad", "snr"])
    assert all((folder / path.name).read_bytes() == path.read_bytes() for path in alone.iterdir())
    toolchain.run(["gcc", *STRICT, "-O2", "-fno-pic", "-c", folder / "night.c", "-o", tmp_path / "night.o"])
    symbols = [line.split()[-2:] for line in toolchain.run(["nm", tmp_path / "night.o"]).splitlines()]
    tables = {name for kind, name in symbols if kind == "r" and not name.startswith(".")}
    assert all(name.startswith("night_probe") for name in tables)
    functions = ("get_decision", "init", "probe_words", "read", "set_decision", "signal_words")
    assert sorted(name for kind, name in symbols if kind not in "trU") == [f"night_{name}" for name in functions]
    assert {name for kind, name in symbols if kind == "U"} <= {"dyncp_get_settings", "dyncp_masks", "memset", "memcpy"}


def test_compiles_as_cpp_with_marks_and_as_clang_format_would(
    tmp_path: Path, both: tuple[Bundle, Bundle, Path]
) -> None:
    _, _, folder = both
    for compiler, flags in (("g++", ["-std=c++11", "-x", "c++"]), ("clang", ["-std=c99", "-DDYNCP_MARKS"])):
        words = [compiler, *flags, *toolchain.WARNINGS, "-Wpedantic", "-c", folder / "night.c"]
        toolchain.run([*words, "-o", tmp_path / "night.o"])
    style = f"--style=file:{HERE.parents[1] / '.clang-format'}"
    toolchain.run(["clang-format", style, "--dry-run", "--Werror", *folder.glob("night*.[ch]")])


def test_a_library_of_another_network_is_refused_by_all(tmp_path: Path, both: tuple[Bundle, Bundle, Path]) -> None:
    _, night, folder = both
    other = random_bundle(SMALL, 3)
    write_bundle(other, tmp_path / "other")
    with pytest.raises(GenerationError, match=r"dyncp_manifest\.json: network_hash is"):
        generate_reader(other, folder, "dusk", "dyncp")
    generate(other, folder)
    with pytest.raises(ToolchainError, match="of another network than night"):
        toolchain.run(["gcc", "-std=c99", "-c", folder / "night.c", "-o", tmp_path / "night.o"])
    assert night.probes is not None
    for names, message in ((["pitch"], "no task 'pitch'"), ([], "nothing to read")):
        with pytest.raises(GenerationError, match=message):
            generate_reader(other, folder, "dusk", "dyncp", names)
    with pytest.raises(GenerationError, match="choose another"):
        generate_reader(other, folder, "dyncp", "dyncp")
    assert restrict(night.probes, []) is None


def test_the_command_writes_and_tells(tmp_path: Path, both: tuple[Bundle, Bundle, Path]) -> None:
    _, _, folder = both
    run = CliRunner()
    arguments = ["generate", str(tmp_path / "night"), str(folder), "--reads", "dyncp"]
    done = run.invoke(commands, [*arguments, "--prefix", "dusk", "--signals", "noise"])
    assert done.exit_code == 0
    assert "dusk_read(&dusk, &dyncp, &signals)" in done.output
    manifest = read_library(folder, "dusk", readers=True)
    assert (manifest.reads, [task.name for task in manifest.tasks]) == ("dyncp", ["noise"])
    assert run.invoke(commands, [*arguments, "--prefix", "dusk", "--stream"]).exit_code != 0
    with pytest.raises(GenerationError, match="masks of dyncp, no network"):
        read_library(folder, "dusk")
    # Without its library, the probe set stays what it is, and so do the headers that it needs.
    assert run.invoke(commands, ["generate", str(tmp_path / "day"), str(folder)]).exit_code == 0
    assert (folder / "dusk.c").is_file()
