# SPDX-License-Identifier: Apache-2.0
"""Folders as people have them: what file systems leave in them, a level too many or too few, several as one."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
from signals import speech_like
from sounds import small_corpus
from trees import touch

from dyncp.base.audio import write_pcm
from dyncp.base.config.experiment import Config
from dyncp.base.config.reading import StrictModel, parse
from dyncp.base.errors import AudioError, ConfigError
from dyncp.train.corpora.conversion import convert_corpus
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.sources import read_sources

FOREIGN = (
    "speech/anna/._a.wav",
    "speech/._anna",
    "speech/.DS_Store",
    "speech/__MACOSX/anna/._a.wav",
    "speech/__MACOSX/anna/a.wav",
    "noise/@eaDir/x.wav/SYNOINDEX.wav",
    "noise/.Trashes/x/a.wav",
    "noise/#recycle/x/a.wav",
)


def own(folder: Path) -> Path:
    for speaker in ("anna", "bert", "cleo"):
        (folder / "speech" / speaker).mkdir(parents=True)
        write_pcm(folder / "speech" / speaker / "a.wav", speech_like(150))
    (folder / "noise" / "hiss").mkdir(parents=True)
    for name in ("1", "2", "3"):
        noise = np.random.default_rng(int(name)).integers(-900, 900, 40_000).astype(np.int16)
        write_pcm(folder / "noise" / "hiss" / f"{name}.wav", noise)
    return folder


def test_what_file_systems_leave_is_not_of_the_corpus(tmp_path: Path) -> None:
    folder = own(tmp_path / "c")
    plain = load_corpus(folder)
    for name in FOREIGN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    (folder / "speech" / "anna" / "folder.wav").mkdir()
    assert load_corpus(folder) == plain
    convert_corpus(folder, tmp_path / "converted")
    assert len([p for p in (tmp_path / "converted").rglob("*") if p.is_file()]) == 6


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "cannot be read as audio"), (b"<html>404</html>", "cannot be read as audio"), (None, "holds no samples")],
)
def test_files_that_only_look_like_audio_are_left_out_and_named(
    tmp_path: Path, content: bytes | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = own(tmp_path / "c")
    corpus = load_corpus(folder)
    part = next(r for r in corpus.speech if r.split == "train").group
    false = folder / "speech" / part / "false.wav"
    if content is None:
        soundfile.write(false, np.zeros(0), 16_000)
    else:
        false.write_bytes(content)
    before = read_sources(corpus.split("train"))
    with caplog.at_level(logging.WARNING):
        after = read_sources(load_corpus(folder).split("train"))
    assert after.corpus == before.corpus
    assert f"left out, because they hold no speech: 1 of the recordings\n  {false}: {reason}" in caplog.text
    done = convert_corpus(folder, tmp_path / "converted")
    assert len(done.left_out) == 1
    assert str(false) in done.left_out[0]


def test_audio_of_another_rate_is_no_reason_to_leave_a_file_out(tmp_path: Path) -> None:
    own(tmp_path)
    for speaker in ("anna", "bert", "cleo"):
        soundfile.write(tmp_path / "speech" / speaker / "b.wav", np.zeros(4800), 48_000)
    with pytest.raises(AudioError, match="48000 Hz"):
        read_sources(load_corpus(tmp_path).split("train"))


@pytest.mark.parametrize(
    ("files", "inside", "complaint"),
    [
        (["a.wav", "b.wav"], "", r"its 2 audio files lie one level too high; a speaker's go to speech/SPEAKER/a\.wav"),
        (["speech/a.wav", "noise/x/b.wav"], "", r"speech/a\.wav: lies one level too high; .* tells the speaker"),
        (["speech/s/a.wav", "noise/b.wav"], "", r"noise/b\.wav: lies one level too high; .*/noise/CATEGORY/b\.wav"),
        (["c/speech/s/a.wav", "c/noise/x/b.wav"], "", r"lies one level too high; below it are .*/c \(folders"),
        (["speech/s/a.wav", "noise/x/b.wav"], "speech", r"is one part of a corpus; name the folder above it"),
        (["s/a.wav"], "", r"its 1 audio files lie as s/a\.wav: they go to speech/SPEAKER/ and noise/CATEGORY/"),
        (["notes.txt"], "", r"holds neither .*, and no audio"),
        (["speech/s/a.wav"], "", r"lists no noise; where it holds speech alone, name a corpus of noise beside it"),
        (["x"], "nowhere", r"nowhere: no such folder"),
    ],
)
def test_a_folder_that_is_no_corpus_is_told_why(tmp_path: Path, files: list[str], inside: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_corpus(touch(tmp_path, *files) / inside)


def test_several_are_one(tmp_path: Path) -> None:
    a, b = small_corpus(tmp_path / "a"), own(tmp_path / "b")
    both = load_corpus([a, b])
    assert len(both.speech) == len(load_corpus(a).speech) + 3
    assert len(both.noise) == len(load_corpus(a).noise) + 3
    file = tmp_path / "mine.toml"
    file.write_text('speech = ["a", "b"]\nnoise = ["b"]\n')
    composed = load_corpus(file)
    assert composed.speech == both.speech
    assert {r.group for r in composed.noise} == {"1", "2", "3"}
    with pytest.raises(ConfigError, match="no folder of recordings; convert those that it is composed of"):
        convert_corpus(file, tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('speech = ["a"]\n', r"mine\.toml: noise: Field required"),
        ('speech = []\nnoise = ["a"]\n', r"mine\.toml: speech: "),
        ('speech = ["a"]\nnoises = ["a"]\n', r"noises: .*did you mean noise\? known are speech, noise"),
        ('speech = ["gone"]\nnoise = ["a"]\n', r"gone: no such folder"),
    ],
)
def test_complaints_about_a_composition_name_file_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    small_corpus(tmp_path / "a")
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        load_corpus(tmp_path / "mine.toml")


class Inner(StrictModel):
    width: int = 1


class Outer(StrictModel):
    inner: Inner | None = None
    several: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("model", "data", "complaint"),
    [
        (
            Config,
            {"training": {"learning_rat": 1}},
            r"training\.learning_rat: .*did you mean learning_rate\? known are",
        ),
        (Config, {"netwrk": {}}, r"netwrk: .*did you mean network\? known are network, mixing, training"),
        (Config, {"mixing": {"zzz": 1}}, r"mixing\.zzz: .*\(known are clip_s, snr_db, level_dbfs"),
        (Outer, {"inner": {"widht": 1}}, r"did you mean width\? known are width"),
        (Outer, {"several": [{}, {"x": 1}]}, r"several\.1\.x: .*known are width"),
    ],
)
def test_an_unknown_field_is_told_the_known_ones(model: type[StrictModel], data: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse(model, data, "mine.toml")
