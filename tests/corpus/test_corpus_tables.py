# SPDX-License-Identifier: Apache-2.0
"""Tables as spreadsheets and scripts write them: read where there is one meaning, else refused with line and column."""

from __future__ import annotations

import contextlib
import logging
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.layouts.rows import read_rows
from dyncp.train.corpora.recordings import Recording

SPEECH = "file,speaker,gender,license,split\na.wav,anna,F,CC0,train\nb.wav,bert,M,CC BY 4.0,test\n"
NOISE = "file,category,license\nc.wav,Street,CC0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.wav").touch()
    (tmp_path / "noise.csv").write_text(NOISE)
    return tmp_path


def speech(folder: Path, table: bytes) -> list[Recording]:
    (folder / "speech.csv").write_bytes(table)
    return list(load_corpus(folder).speech)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_with_a_mark_and_usual_separators_are_read(
    folder: Path, encoding: str, separator: str, end: str
) -> None:
    as_always = speech(folder, SPEECH.encode())
    assert [(r.group, r.gender, r.license, r.split) for r in as_always] == [
        ("anna", "F", "CC0", "train"),
        ("bert", "M", "CC BY 4.0", "test"),
    ]
    assert speech(folder, SPEECH.replace(",", separator).replace("\n", end).encode(encoding)) == as_always


def test_excels_line_that_states_the_separator(folder: Path) -> None:
    table = "sep=;\r\n" + SPEECH.replace(",", ";").replace("bert;M", "bert;robot")
    with pytest.raises(ConfigError, match=r"speech\.csv, line 4, column gender: gender is 'robot', not one of f, "):
        speech(folder, table.encode())


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("CC0", "CC\xe9", r"speech\.csv, line 2, column 16: byte 0xE9 is not UTF-8; save the table as UTF-8"),
        ("anna,F,CC0,train", "", r"speech\.csv, line 2, column license: the row ends after 2 fields"),
        ("a.wav,anna,F,CC0,train", "a.wav", r"line 2, column speaker: the row ends after 1 fields"),
        ("a.wav,anna,F,CC0,train", "a.wav,anna,F", r"line 2, column license: the row ends after 3 fields"),
        ("CC0,train", "CC0, mine,train", r"line 2, column 6: has 6 fields, and the first line names 5 columns"),
        ("b.wav,bert", "b.wav,", r"speech\.csv, line 3, column speaker: is empty"),
        ("b.wav", "gone.wav", r"speech\.csv, line 3, column file: no such file: gone\.wav"),
        ("b.wav", ".", r"speech\.csv, line 3, column file: no such file: \."),
        ("test", "practice", r"line 3, column split: split is 'practice', not one of train, training, validation"),
        ("M,", "Q,", r"line 3, column gender: gender is 'Q', not one of f, female"),
        ("anna", '"anna', r"speech\.csv, line 3: is no row of a table: unexpected end of data"),
        ("gender", "speaker", r"speech\.csv, line 1: names the column speaker twice"),
        ("speaker", "talker", r"speech\.csv: lacks the column speaker; line 1 names file, talker, gender"),
        (SPEECH, "", r"speech\.csv: lacks the column file, speaker, license; line 1 names nothing"),
    ],
)
def test_what_has_no_one_meaning_is_refused_with_its_place(folder: Path, old: str, new: str, complaint: str) -> None:
    assert old in SPEECH
    with pytest.raises(ConfigError, match=complaint):
        speech(folder, SPEECH.replace(old, new, 1).encode("latin-1"))


def test_utf_16_without_its_mark_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"speech\.csv, line 1: holds NUL, as UTF-16 without its mark does"):
        speech(folder, SPEECH.encode("utf-16-le"))
    with pytest.raises(ConfigError, match=r"speech\.csv, byte \d+: is not UTF-16"):
        speech(folder, SPEECH.encode("utf-16")[:-1])


def test_lines_are_counted_through_fields_of_several(folder: Path) -> None:
    table = SPEECH.replace("CC0", '"CC0\nof me"') + "\n,,,,\nd.wav,dora,F,CC0,train\n"
    with pytest.raises(ConfigError, match=r"line 7, column file: no such file: d\.wav"):
        speech(folder, table.encode())


def test_rows_may_lack_what_is_optional(folder: Path) -> None:
    table = "FILE, Speaker ,license,split\na.wav,anna,CC0\n\n,,,\n b.wav , bert ,CC0,\n"
    assert [(r.path.name, r.group, r.fixed_split) for r in speech(folder, table.encode())] == [
        ("a.wav", "anna", None),
        ("b.wav", "bert", None),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("f", "F"), ("F", "F"), ("Female", "F"), ("w", "F"), ("m", "M"), ("MALE", "M"), ("", "U"), ("unknown", "U")],
)
def test_spellings_of_gender(folder: Path, written: str, meant: str) -> None:
    assert speech(folder, SPEECH.replace(",F,", f",{written},").encode())[0].gender == meant


@pytest.mark.parametrize(("written", "meant"), [("Train", "train"), ("dev", "validation"), ("eval", "test")])
def test_spellings_of_splits(folder: Path, written: str, meant: str) -> None:
    assert speech(folder, SPEECH.replace(",train", f",{written}").encode())[0].split == meant


def test_names_of_other_systems_find_their_file(folder: Path) -> None:
    composed, decomposed = unicodedata.normalize("NFC", "é.wav"), unicodedata.normalize("NFD", "é.wav")
    (folder / "deep").mkdir()
    (folder / "deep" / decomposed).touch()
    found = speech(folder, SPEECH.replace("a.wav", f"deep\\{composed}").encode())
    assert found[0].path == folder / "deep" / decomposed


def test_rows_of_what_macos_leaves_are_left_out_and_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "._a.wav").write_bytes(b"\0\5\x16\7")
    with caplog.at_level(logging.WARNING):
        found = speech(folder, (SPEECH + "._a.wav,anna,F,CC0,train\n").encode())
    assert [r.path.name for r in found] == ["a.wav", "b.wav"]
    assert "1 rows left out, whose files are no audio: ._a.wav" in caplog.text


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


@given(fields=st.lists(st.lists(TEXT, max_size=4)))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, fields: list[list[str]]) -> None:
    table = tmp_path_factory.mktemp("any") / "any.csv"
    table.write_text("file,category\n" + "\n".join(map(",".join, fields)), newline="", encoding="utf-8")
    # A table is read or refused by name; any other exception fails the test.
    with contextlib.suppress(ConfigError):
        assert all(set(row.fields) == {"file", "category"} for row in read_rows(table, ("file", "category")))
