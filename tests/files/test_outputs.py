# SPDX-License-Identifier: Apache-2.0
"""Where commands write: refused before the work begins, in one message, and nothing of the user's is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from libraries import SMALL
from typer.testing import CliRunner

from dyncp.base.audio import write_pcm
from dyncp.base.errors import DyncpError, OutputError
from dyncp.base.files import new_text, replace_file
from dyncp.base.files.outputs import check_outputs
from dyncp.cli import commands
from dyncp.export.formats.bundle import write_bundle

Refused = Callable[..., str]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_bundle(random_bundle(SMALL, 0), tmp_path / "b")
    write_pcm(tmp_path / "in.wav", np.zeros(1000, np.int16))
    (tmp_path / "noise.csv").write_text("my,labels\n")
    (tmp_path / "report.html").write_text("mine")
    (tmp_path / "paper.md").write_text("mine")
    (tmp_path / "config.toml").write_text("[network]\n")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link.wav").symlink_to("in.wav")
    os.link(tmp_path / "in.wav", tmp_path / "same.wav")
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


TRAIN = ("train", "paper", "--corpus", "nowhere")
ENHANCE = ("enhance", "in.wav")
BUNDLE = ("--bundle", "b")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*ENHANCE, "no/o.wav", *BUNDLE), "there is no folder no; make it first"),
        ((*ENHANCE, "o.wav", *BUNDLE, "--signals", "no/o.csv"), "there is no folder no"),
        ((*ENHANCE, "o.wav", *BUNDLE, "--plot", "no/o.png"), "there is no folder no"),
        ((*ENHANCE, "o.wav", *BUNDLE, "--plot", "o.pdf"), "PNG or SVG"),
        ((*ENHANCE, "o.txt", *BUNDLE), "use .wav or .flac"),
        ((*ENHANCE, "in.wav", *BUNDLE), "is IN as well as OUT"),
        ((*ENHANCE, "link.wav", *BUNDLE), "is IN as well as OUT"),
        ((*ENHANCE, "same.wav", *BUNDLE), "is IN as well as OUT"),
        ((*ENHANCE, "o.wav", *BUNDLE, "--signals", "in.wav"), "is IN as well as the CSV of signals"),
        ((*ENHANCE, "o.wav", *BUNDLE, "--signals", "./o.wav"), "is OUT as well as the CSV of signals"),
        ((*ENHANCE, "b/o.wav", *BUNDLE), "lies in the bundle"),
        ((*ENHANCE, "folder.wav", *BUNDLE), "is a folder"),
        ((*ENHANCE, "noise.wav", *BUNDLE), "noise.csv: is there already, and no CSV of signals"),
        ((*ENHANCE, "o.wav", *BUNDLE, "--signals", "noise.csv"), "noise.csv: is there already"),
        ((*ENHANCE, "x" * 300 + ".wav", *BUNDLE), "cannot be written (File name too long)"),
        (("validate", "b", "in.wav", "--out", "file"), "file is a file"),
        (("validate", "b", "in.wav", "--out", "file/below"), "file is a file"),
        (("report", "b", "nowhere", "--out", "."), "holds report.html, which this command did not write"),
        (("report", "b", "nowhere", "--out", "file"), "file is a file"),
        (("generate", "b", "file"), "is a file"),
        ((*TRAIN, "--out", "."), "did not write (config.toml)"),
        ((*TRAIN, "--out", "file"), "file is a file"),
        (("export", "small", "file", "--corpus", "nowhere"), "file is a file"),
        (("export", "small", ".", "--corpus", "nowhere"), "did not write"),
        (("export", "small", "new", "--corpus", "nowhere", "--quality", "no/q.json"), "there is no folder no"),
        (("evaluate", "small", "b", "--corpus", "nowhere", "--paper", "."), "holds paper.md"),
        (("evaluate", "small", "b", "--corpus", "nowhere", "--caps", "file"), "file is a file"),
        (("front", "--corpus", "nowhere", "--out", "file"), "file is a file"),
        (("interchange", "small", "file", "--audio", "in.wav"), "file is a file"),
        (("demo", "--out", "file"), "file is a file"),
    ],
)
def test_what_cannot_be_or_is_the_users_is_refused_first(
    place: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    before = everything(place)
    result = CliRunner().invoke(commands, list(arguments))
    assert isinstance(result.exception, DyncpError)
    assert complaint in str(result.exception)
    assert everything(place) == before


def test_the_input_is_never_written_over_by_a_validation(place: Path) -> None:
    write_pcm(place / "noisy.wav", np.ones(1000, np.int16))
    before = everything(place)
    for audio in ("noisy.wav", "in.wav"):
        result = CliRunner().invoke(commands, ["validate", "b", audio, "--out", "."])
        assert isinstance(result.exception, OutputError)
        assert "noisy.wav" in str(result.exception)
    assert everything(place) == before


def test_results_of_an_earlier_run_are_written_over(place: Path) -> None:
    for _ in range(2):
        assert CliRunner().invoke(commands, ["enhance", "in.wav", "o.wav", *BUNDLE]).exception is None
    assert (place / "o.csv").read_text().startswith("time_s,")


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    full = Path("/dev/full")
    check_outputs({"it": full})
    with pytest.raises(OutputError, match=r"/dev/full: cannot be written \(No space left on device\)"):
        replace_file(full, b"a")
    assert full.is_char_device()
    replace_file(Path("/dev/null"), b"a")
    assert Path("/dev/null").is_char_device()
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    replace_file(tmp_path / "pipe", b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)


def test_a_folder_that_refuses_new_files_is_found_by_trying() -> None:
    """Not even the super-user makes files in /proc, though its permissions look as if."""
    with pytest.raises(OutputError, match=r"/proc/file: cannot be written"):
        check_outputs({"it": Path("/proc/file")})


def test_a_file_keeps_its_permissions_and_a_link_its_target(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640
    replace_file(tmp_path / "fresh", b"new")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "fresh").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(RuntimeError):
        _fail_halfway(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _fail_halfway(path: Path) -> None:
    with new_text(path) as file:
        file.write("half")
        raise RuntimeError
