# SPDX-License-Identifier: Apache-2.0
"""Targets that a user adds, in Python and as a CSV, and what is said of wrong ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from constructed import talk_in_hiss, write_recordings

from dyncp.base.errors import ConfigError
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.user_targets import load_target, load_targets

LEVEL = """
import numpy as np
from dyncp.base.tasks import Task
from dyncp.train.targets.frames import window_rms

TASK = Task(name="level", kind="regression", outputs=1, unit="dB", frames="speech")

def labels(stream):
    return 20 * np.log10(window_rms(stream.clean / 32768) + 1e-9)
"""


def python(folder: Path, text: str) -> Path:
    path = folder / "target.py"
    path.write_text(text)
    return path


def table(folder: Path, *lines: str) -> Path:
    path = folder / "target.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    """Utterances a.wav and b.wav, noises c.wav and d.wav, 4 s each and more."""
    return write_recordings(tmp_path / "corpus", talk_in_hiss())


def test_a_target_in_python(tmp_path: Path, stream: Stream) -> None:
    target = load_target(python(tmp_path, LEVEL))
    labels = target.labels(stream)
    assert (target.task.name, target.task.unit, labels.dtype) == ("level", "dB", np.float32)
    middle = stream.speech[0].hops + 20
    assert labels[middle] == pytest.approx(-180)
    wanted = 20 * np.log10(np.sqrt(np.mean((stream.clean[49 * 256 : 51 * 256] / 32768) ** 2)))
    assert labels[50] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("TASK =", "TASKS ="), "TASK: must be"),
        (("def labels", "def label"), "labels: must be"),
        (('"level"', '"Level"'), "ValidationError"),
        (('"level"', '"snr_in"'), "'snr_in' is that of a standard target"),
        (("import numpy", "import no_such_module"), "ModuleNotFoundError"),
        (("import numpy as np", "import numpy as np ("), "SyntaxError"),
    ],
)
def test_a_wrong_python_file_is_named(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=rf"target\.py.*{complaint}"):
        load_target(python(tmp_path, LEVEL.replace(*change)))


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        ("np.zeros(3)", r"float64 \[3\]; return one number per frame, \[750\]"),
        ("np.array(['x'] * stream.frames)", r"<U1 \[750\]"),
        ("np.full(stream.frames, np.inf)", "infinite"),
        ("stream.no_such_field", "AttributeError: .*no_such_field"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, stream: Stream, returned: str, complaint: str) -> None:
    text = LEVEL[: LEVEL.index("    return")] + f"    return {returned}\n"
    with pytest.raises(ConfigError, match=rf"target\.py: labels: .*{complaint}"):
        load_target(python(tmp_path, text)).labels(stream)


def test_class_indices_out_of_range_are_named(tmp_path: Path, stream: Stream) -> None:
    task = 'Task(name="level", kind="binary", outputs=1, unit="log-odds")'
    text = LEVEL.replace(LEVEL[LEVEL.index("Task(") : LEVEL.index("\n\ndef")], task)
    right = text[: text.index("    return")] + "    return np.where(np.arange(stream.frames) < 9, -1, 1.0)\n"
    assert np.array_equal(load_target(python(tmp_path, right)).labels(stream), [-1] * 9 + [1] * (stream.frames - 9))
    with pytest.raises(ConfigError, match="0 to 1, or -1"):
        load_target(python(tmp_path, text)).labels(stream)


def test_numbers_in_a_csv_are_a_regression(tmp_path: Path, stream: Stream) -> None:
    lines = ["file,time_s,effort [%]", "speech/b.wav,0.5,10", "speech/b.wav,1.0,", "speech/b.wav,2,30.5"]
    target = load_target(table(tmp_path, *lines))
    labels = target.labels(stream)
    assert (target.task.kind, target.task.name, target.task.unit) == ("regression", "effort", "%")
    start = stream.speech[1].start
    # A frame takes what holds at the centre of its window, 16 ms a frame: 0.5 s is frame 31.25.
    assert np.flatnonzero(labels == 10).tolist() == list(range(start + 32, start + 63))
    assert np.flatnonzero(labels == 30.5).tolist() == list(range(start + 125, stream.frames))
    assert np.isnan(labels).sum() == stream.frames - 31 - (stream.frames - start - 125)


def test_text_in_a_csv_names_classes(tmp_path: Path, stream: Stream) -> None:
    lines = ["file,time_s,mood", "a.wav,0,sad", "b.wav,0,glad", "b.wav,1,calm"]
    target = load_target(table(tmp_path, *lines))
    labels = target.labels(stream)
    assert (target.task.kind, target.task.classes) == ("multiclass", ["calm", "glad", "sad"])
    first, second = stream.speech
    assert (labels[first.start : first.hops] == 2).all()
    assert (labels[first.hops : second.start] == -1).all()
    assert (labels[second.start : second.start + 63] == 1).all()
    assert (labels[second.start + 63 :] == 0).all()


def test_zeros_and_ones_in_a_csv_are_binary_and_noise_may_be_labelled(tmp_path: Path, stream: Stream) -> None:
    target = load_target(table(tmp_path, "file,time_s,siren", "noise/d.wav,0,0", "noise/d.wav,1,1"))
    labels = target.labels(stream)
    assert target.task.kind == "binary"
    assert np.unique(labels[:100]).tolist() == [-1]
    assert labels[100:].tolist() == [0] * 63 + [1] * (stream.frames - 163)
    assert load_target(table(tmp_path, "file,time_s,share [1]", "noise/d.wav,0,0")).task.kind == "regression"


def test_a_noise_that_starts_later_or_repeats_keeps_its_labels(tmp_path: Path, stream: Stream) -> None:
    target = load_target(table(tmp_path, "file,time_s,siren", "noise/c.wav,0,0", "noise/c.wav,0.8,1"))
    # The file holds 100 hops; its labels change with hop 50.
    first = replace(stream.noises[0], offset=40 * 256)
    labels = target.labels(replace(stream, noises=(first, stream.noises[1])))
    assert labels[:100].tolist() == [0] * 10 + [1] * 50 + [0] * 40


def test_the_longest_path_counts(tmp_path: Path, stream: Stream) -> None:
    lines = ["file,time_s,mark", "a.wav,0,5", "speech/a.wav,0,7", "other/a.wav,0,9"]
    assert load_target(table(tmp_path, *lines)).labels(stream)[3] == 7


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["file,time,mood", "a.wav,0,x"], "columns are file, time, mood"),
        (["file,time_s,mood,age", "a.wav,0,x,3"], "columns are"),
        (["file,time_s,mood"], "holds no labels"),
        (["file,time_s,mood", "a.wav,0,"], "holds no labels"),
        (["file,time_s,mood", "a.wav,0"], "line 2: must have three fields"),
        (["file,time_s,mood", "a.wav,0,x", "a.wav,soon,y"], "line 3: time_s is 'soon'"),
        (["file,time_s,mood", "a.wav,-1,x", "a.wav,2,y"], "line 2: time_s is '-1'"),
        (["file,time_s,mood", "a.wav,2,x", "b.wav,1,y", "a.wav,1,y"], "line 4: time_s does not rise"),
        (["file,time_s,mood", ",0,x", "a.wav,1,y"], "line 2: file is empty"),
        (["file,time_s,mood", "a.wav,0,x"], "1 different texts"),
        (["file,time_s,My Mood", "a.wav,0,1.5"], "column 'My Mood': name"),
        (["file,time_s,mood [", "a.wav,0,1.5"], r"write `name` or `name \[unit\]`"),
        (["file,time_s,vad", "a.wav,0,1"], "standard target"),
    ],
)
def test_a_wrong_csv_is_named(tmp_path: Path, lines: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=rf"target\.csv.*{complaint}"):
        load_target(table(tmp_path, *lines))


def test_a_csv_of_other_recordings_is_named(tmp_path: Path, stream: Stream) -> None:
    target = load_target(table(tmp_path, "file,time_s,mood [1]", "spech/a.wav,0,1.5"))
    with pytest.raises(ConfigError, match="names no recording of this stream"):
        target.labels(stream)


def test_names_are_unique_and_files_exist(tmp_path: Path) -> None:
    one = python(tmp_path, LEVEL)
    other = table(tmp_path, "file,time_s,level", "a.wav,0,1.5")
    with pytest.raises(ConfigError, match=r"target\.csv: the name 'level' is taken by .*target\.py"):
        load_targets([one, other])
    assert [target.task.name for target in load_targets([other])] == ["level"]
    with pytest.raises(ConfigError, match="no such file"):
        load_target(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match=r"a \.py or a \.csv file"):
        load_target(tmp_path / "labels.txt")
