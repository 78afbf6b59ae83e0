# SPDX-License-Identifier: Apache-2.0
"""Layouts as files: whose they are, what takes the place of what, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from command import dyncp
from libraries import written_bundle

from dyncp.base.errors import GenerationError
from dyncp.codegen.generate import generate, read_library, renew_probes
from dyncp.codegen.layouts.arrange import LAYOUTS, PLAIN
from dyncp.export.formats.bundle import Bundle

BUILD_SYSTEMS = [name for name in LAYOUTS if name != PLAIN]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Path]:
    """A bundle, and a folder that has a folder for each layout."""
    folder = tmp_path_factory.mktemp("layouts")
    bundle = written_bundle(folder / "bundle")
    for layout in LAYOUTS:
        assert generate(bundle, folder / layout, layout=layout) == folder / layout / LAYOUTS[layout]
    return bundle, folder


@pytest.mark.parametrize("layout", BUILD_SYSTEMS)
def test_the_library_in_a_layout_is_the_plain_one(made: tuple[Bundle, Path], layout: str) -> None:
    whole, plain = contents(made[1] / layout), contents(made[1] / PLAIN)
    own = {name: whole[f"{LAYOUTS[layout]}/{name}"] for name in plain}
    assert own == plain
    listed = json.loads(whole["dyncp_layout.json"])["files"]
    assert listed == sorted(whole)
    assert len(listed) > len(own) + 1


@pytest.mark.parametrize("layout", BUILD_SYSTEMS)
def test_the_same_bytes_again_and_the_users_files_stay(made: tuple[Bundle, Path], tmp_path: Path, layout: str) -> None:
    first = contents(made[1] / layout)
    out = shutil.copytree(made[1] / layout, tmp_path / "out")
    mine = {"notes.txt": b"mine", f"{LAYOUTS[layout]}/my_board.c": b"mine", "examples/mine/main.c": b"mine"}
    for name, data in mine.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
    generate(made[0], out, layout=layout)
    assert contents(out) == first | mine


def test_a_build_file_of_the_users_stays_beside_a_plain_library(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "CMakeLists.txt").write_text("mine")
    for selftest in (False, True, False):
        generate(bundle, tmp_path / "out", selftest=selftest)
        assert (tmp_path / "out" / "CMakeLists.txt").read_text() == "mine"
    with pytest.raises(GenerationError, match=r"CMakeLists\.txt"):
        generate(bundle, tmp_path / "out", layout="cmake")
    assert (tmp_path / "out" / "dyncp.c").exists()


@pytest.mark.parametrize("inside", [False, True], ids=["exchanged", "in place"])
def test_each_layout_takes_the_place_of_the_last(
    made: tuple[Bundle, Path], tmp_path: Path, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that somebody stands in is renewed file by file."""
    out = tmp_path / "out"
    (out / "src").mkdir(parents=True)
    (out / "src" / "mine.c").write_bytes(b"mine")
    if inside:
        monkeypatch.chdir(out)
    for layout in ("cmake", "rust", "zephyr", PLAIN):
        generate(made[0], out, layout=layout)
        assert contents(out) == contents(made[1] / layout) | {"src/mine.c": b"mine"}
        assert not (out / "csrc").exists() or layout == "rust"


def test_libraries_of_two_prefixes_in_one_layouts_folder(tmp_path: Path) -> None:
    """They share the runtime's headers, which stay when one of them leaves."""
    bundle = written_bundle(tmp_path / "bundle")
    generate(bundle, tmp_path / "out", "first", layout="cmake")
    generate(bundle, tmp_path / "out" / "src", "second")
    generate(bundle, tmp_path / "out", "first", layout="rust")
    left = contents(tmp_path / "out" / "src")
    assert "second.c" in left
    assert "dyncp_runtime.h" in left
    assert "first.c" not in left


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "dyncp.c").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "src").symlink_to("../elsewhere")
    with pytest.raises(GenerationError, match="src"):
        generate(bundle, tmp_path / "out", layout="cmake")
    assert os.listdir(tmp_path / "elsewhere") == ["dyncp.c"]


def test_a_layout_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    with pytest.raises(GenerationError, match=r"'bazel'.*cmake.*micropython"):
        generate(bundle, tmp_path / "out", layout="bazel")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("layout", "prefix"), [("cmake", "test"), ("rust", "fn"), ("micropython", "lambda")])
def test_a_prefix_that_the_build_system_needs_is_refused(tmp_path: Path, layout: str, prefix: str) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    with pytest.raises(GenerationError, match=f"'{prefix}'"):
        generate(bundle, tmp_path / "out", prefix, layout=layout)
    generate(bundle, tmp_path / "out", prefix)


def test_probes_are_renewed_where_no_other_file_depends_on_them(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    folder = generate(bundle, tmp_path / "cmake", layout="cmake")
    dyncp("generate", tmp_path / "bundle", tmp_path / "cmake", "--layout", "cmake", "--probes-only", "--signals", "vad")
    assert [task.name for task in read_library(folder).tasks] == ["vad"]
    folder = generate(bundle, tmp_path / "rust", layout="rust")
    with pytest.raises(GenerationError, match=r"rust.*without --probes-only"):
        renew_probes(bundle, folder, signals=["vad"])


def test_a_record_that_names_files_elsewhere_is_nobodys(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    (tmp_path / "thesis").write_text("years of work")
    generate(bundle, tmp_path / "out", layout="cmake")
    record = tmp_path / "out" / "dyncp_layout.json"
    record.write_text(record.read_text().replace("CMakeLists.txt", "../thesis"))
    with pytest.raises(GenerationError, match=r"dyncp_layout\.json"):
        generate(bundle, tmp_path / "out", layout="zephyr")
    assert (tmp_path / "thesis").exists()
