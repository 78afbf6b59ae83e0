# SPDX-License-Identifier: Apache-2.0
"""Folders that are replaced whole: whose files they are, where they cannot change places, and two writers at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dyncp.base.errors import OutputError
from dyncp.base.files import folders, journal, replace_folder
from dyncp.base.files.partial import begin_folder

OLD, NEW = {"a": b"1", "b": b"1"}, {"b": b"2", "c": b"2"}
OWN = frozenset("abc")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    replace_folder(tmp_path / "folder", OLD, OWN, OutputError)
    return tmp_path / "folder"


def test_the_new_replace_the_old_and_others_stay(folder: Path) -> None:
    (folder / "mine").write_bytes(b"mine")
    replace_folder(folder, NEW, OWN, OutputError, keep_others=True)
    assert contents(folder) == {**NEW, "mine": b"mine"}
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]


def test_without_being_asked_to_keep_them_others_are_an_error(folder: Path) -> None:
    (folder / "mine").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"did not write \(mine\)"):
        replace_folder(folder, NEW, OWN, OutputError)
    assert contents(folder) == {**OLD, "mine": b"mine"}


def test_a_folder_is_never_ours_whatever_it_is_called(folder: Path) -> None:
    (folder / "c").mkdir()
    (folder / "c" / "thesis").write_text("years of work")
    with pytest.raises(OutputError, match=r"\(c\)"):
        replace_folder(folder, NEW, OWN, OutputError, keep_others=True)
    replace_folder(folder, {"a": b"2"}, OWN, OutputError, keep_others=True)
    assert (folder / "c" / "thesis").read_text() == "years of work"


def test_permissions_and_links_stay(folder: Path, tmp_path: Path) -> None:
    folder.chmod(0o750)
    (tmp_path / "link").symlink_to("folder")
    replace_folder(tmp_path / "link", NEW, OWN, OutputError)
    assert (tmp_path / "link").is_symlink()
    assert contents(folder) == NEW
    assert folder.stat().st_mode & 0o777 == 0o750


def test_a_folder_that_somebody_stands_in_stays_the_same_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    before = folder.stat().st_ino
    replace_folder(Path("."), NEW, OWN, OutputError)
    assert folder.stat().st_ino == before
    assert contents(Path(".")) == NEW


def test_a_folder_of_very_many_others_stays_the_same_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_CARRIED", 5)
    (folder / "many").mkdir()
    for number in range(6):
        (folder / "many" / str(number)).touch()
    before = folder.stat().st_ino
    replace_folder(folder, NEW, OWN, OutputError, keep_others=True)
    assert folder.stat().st_ino == before
    assert len(list((folder / "many").iterdir())) == 6


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_renewal_that_was_cut_short_is_finished_by_whoever_reads(folder: Path, moved: int) -> None:
    """As a kill leaves it: the replacement complete, some of its files moved already."""
    replacement = folder / journal.REPLACEMENT
    replacement.mkdir()
    journal.write_files(replacement, {**NEW, ".removed": b'["a"]'})
    for name in sorted(NEW)[:moved]:
        os.replace(replacement / name, folder / name)
    journal.settle(folder, OutputError)
    assert contents(folder) == NEW
    journal.settle(folder, OutputError)


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_so_is_one_of_files_in_folders_below(tmp_path: Path, moved: int) -> None:
    folder, names = tmp_path / "folder", ("a", "src/b", "src/deep/c")
    replace_folder(folder, {"src/b": b"1", "old/d": b"1", "gone/e": b"1"}, frozenset(), OutputError)
    (folder / "old" / "mine").write_bytes(b"mine")
    replacement = folder / journal.REPLACEMENT
    replacement.mkdir()
    journal.write_files(replacement, {**dict.fromkeys(names, b"2"), ".removed": b'["old/d", "gone/e"]'})
    for name in names[:moved]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(replacement / name, folder / name)
    journal.settle(folder, OutputError)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {**dict.fromkeys(names, b"2"), "old/mine": b"mine"}
    assert not (folder / "gone").exists()


@pytest.mark.parametrize("name", ["../thesis", "link/thesis", "/thesis", "src//a", "src/../../thesis"])
def test_a_list_of_what_to_remove_reaches_no_other_folder(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "thesis").write_text("years of work")
    (folder / "link").symlink_to(tmp_path)
    (folder / journal.REPLACEMENT).mkdir()
    journal.write_files(folder / journal.REPLACEMENT, {".removed": json.dumps([name]).encode()})
    with pytest.raises(OutputError, match="is no file of the folder"):
        journal.settle(folder, OutputError)
    assert (tmp_path / "thesis").exists()


def test_what_somebody_still_writes_is_no_leftover(folder: Path) -> None:
    partial, descriptor = begin_folder(folder)
    replace_folder(folder, NEW, OWN, OutputError)
    assert partial.is_dir()
    os.close(descriptor)
    replace_folder(folder, OLD, OWN, OutputError)
    assert not partial.exists()


WRITER = """
import sys
from pathlib import Path
from dyncp.base.errors import OutputError
from dyncp.base.files import replace_file, replace_folder
place, letter = Path(sys.argv[1]), sys.argv[2].encode()
for _ in range(150):
    replace_folder(place / "folder", {name: letter * 5000 for name in "abc"}, frozenset("abc"), OutputError, True)
    replace_file(place / "file", letter * 50000)
"""


@pytest.mark.slow
def test_two_writers_at_once_leave_one_of_both(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, letter]) for letter in "xyz"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if (tmp_path / "file").exists():
            data = (tmp_path / "file").read_bytes()
            assert data in [letter * 50000 for letter in (b"x", b"y", b"z")]
            seen.add(data[:1])
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert len(seen) > 1
    assert len(set(contents(tmp_path / "folder").values())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
