# SPDX-License-Identifier: Apache-2.0
"""Splits that no speaker and no recording crosses, none of them empty where three are there."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import small_corpus
from trees import touch
from typer.testing import CliRunner

from dyncp.base.errors import ConfigError
from dyncp.cli import commands
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.files.listing import recording_of
from dyncp.train.corpora.recordings import Recording
from dyncp.train.corpora.splits import settle_splits


def voices(names: set[str]) -> list[Recording]:
    return [Recording(Path(f"{name}.wav"), name, "CC0") for name in sorted(names)]


@given(names=st.sets(st.text(min_size=1), min_size=3, max_size=40))
def test_three_are_enough_for_three_splits(names: set[str]) -> None:
    settled = settle_splits(voices(names))
    assert {r.split for r in settled} == {"train", "validation", "test"}
    assert sum(a.split != b.split for a, b in zip(voices(names), settled, strict=True)) <= 2
    # The order of the files does not matter.
    assert settle_splits(voices(names)[::-1]) == settled[::-1]


@given(names=st.sets(st.integers(0, 10_000), min_size=60, max_size=80))
def test_where_the_hash_fills_all_splits_nobody_moves(names: set[int]) -> None:
    before = voices({f"speaker {name}" for name in names})
    if {r.split for r in before} == {"train", "validation", "test"}:
        assert settle_splits(before) == before


@pytest.mark.parametrize("speakers", [1, 2])
def test_fewer_stay_where_they_are_and_are_told(speakers: int) -> None:
    before = voices({f"speaker {i}" for i in range(speakers)})
    assert settle_splits(before) == before


def test_a_split_that_is_named_for_one_recording_holds_for_all_of_its_speaker() -> None:
    first = Recording(Path("a.wav"), "anna", "CC0", fixed_split="test")
    assert [r.split for r in settle_splits([Recording(Path("b.wav"), "anna", "CC0"), first])] == ["test", "test"]


def test_a_table_that_divides_a_speaker_is_refused_with_both_lines(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav", "c.wav")
    (tmp_path / "speech.csv").write_text("file,speaker,license,split\na.wav,anna,CC0,train\nb.wav,anna,CC0,test\n")
    (tmp_path / "noise.csv").write_text("file,category,license\nc.wav,x,CC0\n")
    with pytest.raises(ConfigError, match=r"speech\.csv, line 2 and .*speech\.csv, line 3: both are of anna"):
        load_corpus(tmp_path)


def test_a_table_that_divides_a_recording_is_refused_with_both_lines(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "hum_ch1.wav", "hum_ch2.wav")
    (tmp_path / "speech.csv").write_text("file,speaker,license\na.wav,anna,CC0\n")
    (tmp_path / "noise.csv").write_text(
        "file,category,license,split\nhum_ch1.wav,x,CC0,train\nhum_ch2.wav,x,CC0,test\n"
    )
    with pytest.raises(ConfigError, match=r"noise\.csv, line 2 and .*noise\.csv, line 3: both are of hum"):
        load_corpus(tmp_path)


def test_one_file_under_two_speakers_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "c.wav")
    (tmp_path / "speech.csv").write_text("file,speaker,license,split\na.wav,anna,CC0,train\na.wav,hanna,CC0,test\n")
    (tmp_path / "noise.csv").write_text("file,category,license\nc.wav,x,CC0\n")
    with pytest.raises(ConfigError, match=r"line 2 and .*line 3: both name .*a\.wav"):
        load_corpus(tmp_path)


def test_the_licences_that_are_left_out_free_no_speaker(tmp_path: Path) -> None:
    """A split that the excluded files fill is filled with others; who is in two is in two all the same."""
    names = [f"s{i}" for i in range(6)]
    touch(tmp_path, *(f"{name}.wav" for name in names))
    licenses = ["CC BY-NC 4.0"] * 3 + ["CC0"] * 3
    rows = [f"{name}.wav,{name},{license_name}" for name, license_name in zip(names, licenses, strict=True)]
    (tmp_path / "speech.csv").write_text("file,speaker,license\n" + "\n".join(rows))
    (tmp_path / "noise.csv").write_text("file,category,license\n" + "".join(f"{name}.wav,x,CC0\n" for name in names))
    assert {r.split for r in load_corpus(tmp_path, redistributable=True).speech} == {"train", "validation", "test"}


@pytest.mark.parametrize("inner", ["{chapter}/{n}.flac", "{chapter}/deeper/{n}.flac", "{n}.flac"])
@pytest.mark.parametrize("above", ["", "female/"])
def test_a_speaker_is_the_first_folder_however_deep(tmp_path: Path, inner: str, above: str) -> None:
    files = [inner.format(chapter=120_000 + 37 * s + c, n=c) for s in range(20) for c in range(3)]
    speakers = [1000 + s for s in range(20) for _ in range(3)]
    for speaker, file in zip(speakers, files, strict=True):
        touch(tmp_path, f"speech/{above}{speaker}/{file}")
    touch(tmp_path, *(f"noise/Street/{n}.wav" for n in range(3)))
    splits = defaultdict(set)
    for recording in load_corpus(tmp_path).speech:
        splits[recording.group].add(recording.split)
        assert recording.gender == ("F" if above else "U")
    assert len(splits) == 20
    assert all(len(found) == 1 for found in splits.values())


@pytest.mark.parametrize(
    "name",
    ["{place}/ch{mic:02d}", "{place}/mic{mic}", "x/{place}.CH{mic}", "x/{place}_mic{mic}", "x/{place}/{mic}"],
)
def test_the_microphones_of_one_recording_stay_together(tmp_path: Path, name: str) -> None:
    places = ("DKITCHEN", "NPARK", "OOFFICE", "balcony", "BUS_01")
    for place in places:
        touch(tmp_path, *(f"noise/{name.format(place=place, mic=mic)}.wav" for mic in range(1, 17)))
    touch(tmp_path, *(f"speech/{speaker}/a.wav" for speaker in range(3)))
    groups = defaultdict(set)
    for recording in load_corpus(tmp_path).noise:
        groups[recording.group].add(recording.split)
    assert len(groups) == len(places)
    assert all(len(found) == 1 for found in groups.values())
    assert set.union(*groups.values()) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("name", "recording"),
    [
        ("ch01", "place"),
        ("left", "place"),
        ("BUS_01.CH1", "BUS_01"),
        ("p225_001_mic2", "p225_001"),
        ("room-Channel 12", "room"),
        ("street_R", "street"),
        ("car", "car"),
        ("bach01", "bach01"),
        ("1", "1"),
    ],
)
def test_what_a_name_says_is_recorded(name: str, recording: str) -> None:
    assert recording_of(Path("place", f"{name}.wav")) == recording


def test_folders_may_name_the_split(tmp_path: Path) -> None:
    for split in ("train", "dev", "eval"):
        touch(tmp_path, f"speech/{split}/{split}er/a.wav", f"noise/{split}/Street/{split}.wav")
    corpus = load_corpus(tmp_path)
    assert [(r.group, r.split) for r in corpus.speech] == [
        ("dever", "validation"),
        ("evaler", "test"),
        ("trainer", "train"),
    ]
    touch(tmp_path, "speech/eval/trainer/b.wav")
    with pytest.raises(ConfigError, match=r"both are of trainer, but one is in `test` and the other in `train`"):
        load_corpus(tmp_path)


def test_a_train_may_be_a_noise_and_a_speaker_may_be_called_dev(tmp_path: Path) -> None:
    touch(tmp_path, "noise/train/ride/ch01.wav", "noise/bus/ride/ch01.wav", "speech/dev/1/a.wav", "speech/anna/1/a.wav")
    corpus = load_corpus(tmp_path)
    assert [(r.category, r.group) for r in corpus.noise] == [("bus", "bus/ride"), ("train", "train/ride")]
    assert [r.group for r in corpus.speech] == ["anna", "dev"]


def test_train_refuses_an_empty_split_before_it_reads_any_audio(tmp_path: Path) -> None:
    corpus = touch(tmp_path / "c", "speech/anna/a.wav", "speech/bert/b.wav", *(f"noise/x/{n}.wav" for n in range(3)))
    command = ["train", "small", "--corpus", str(corpus), "--out", str(tmp_path / "out"), "--device", "cpu"]
    result = CliRunner().invoke(commands, command)
    assert isinstance(result.exception, ConfigError)
    assert "holds no speech; it has 2 speakers; three are enough for three splits" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_export_refuses_an_empty_test_split_before_it_quantizes(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "c")
    for kind in ("speech", "noise"):
        rows = (corpus / f"{kind}.csv").read_text().splitlines()
        (corpus / f"{kind}.csv").write_text("\n".join(row for row in rows if not row.endswith("test")))
    result = CliRunner().invoke(commands, ["export", "small", str(tmp_path / "bundle"), "--corpus", str(corpus)])
    assert isinstance(result.exception, ConfigError)
    assert "`test` holds no speech" in str(result.exception)
    assert not (tmp_path / "bundle").exists()
