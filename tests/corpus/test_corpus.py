# SPDX-License-Identifier: Apache-2.0
"""Corpora: both layouts, splits, licences, and complaints that name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from signals import speech_like
from sounds import small_corpus

from dyncp.base.audio import write_pcm
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import Recording, is_redistributable
from dyncp.train.mixing.pairs import make_pairs


def test_splits_share_no_speaker_and_no_noise() -> None:
    groups = [Recording(Path("x"), f"speaker {i}", "CC0") for i in range(1000)]
    shares = {s: sum(r.split == s for r in groups) / 1000 for s in ("train", "validation", "test")}
    assert shares["train"] == pytest.approx(0.80, abs=0.04)
    assert shares["test"] == pytest.approx(0.12, abs=0.03)
    for recording in groups:
        assert recording.split == Recording(Path("y"), recording.group, "BSD").split


def test_plain_folders_take_names_from_folders(tmp_path: Path) -> None:
    for path in ("speech/anna/1.wav", "speech/bert/2.flac", "noise/street/car.wav"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        write_pcm(tmp_path / path, speech_like(30))
    corpus = load_corpus(tmp_path)
    assert [r.group for r in corpus.speech] == ["anna", "bert"]
    assert [(r.group, r.category) for r in corpus.noise] == [("car", "street")]


def test_files_of_one_original_recording_stay_together(tmp_path: Path) -> None:
    write_pcm(tmp_path / "a.wav", speech_like(30))
    (tmp_path / "speech.csv").write_text("file,speaker,license\na.wav,s,CC0\n")
    (tmp_path / "noise.csv").write_text(
        "file,category,source,license\n"
        "a.wav,Street,UrbanSound8K fsID 177742 class drilling,CC BY-NC 3.0\n"
        "a.wav,Street,http://www.freesound.org/people/x/sounds/177742/,CC BY 3.0 (clip: CC0)\n"
        "a.wav,Street,park,CC0 (freesound 177742, someone)\n"
    )
    corpus = load_corpus(tmp_path)
    assert {r.group for r in corpus.noise} == {"freesound 177742"}
    assert [is_redistributable(r.license) for r in corpus.noise] == [False, True, True]


@pytest.mark.parametrize(
    "name",
    ["CC BY 4.0", "CC0 (generated)", "BSD-3-Clause", "Public domain (waiver)", "CC BY-SA 3.0", "Apache-2.0", "MIT"],
)
def test_free_licences(name: str) -> None:
    assert is_redistributable(name)


@pytest.mark.parametrize(
    "name", ["CC BY-NC 3.0", "CC BY-NC-SA 4.0", "CC BY-ND 4.0", "unknown", "proprietary", "Mitchell's own", ""]
)
def test_other_licences(name: str) -> None:
    assert not is_redistributable(name)


def test_complaints_name_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds neither"):
        load_corpus(tmp_path)
    corpus = small_corpus(tmp_path / "c")
    speech = (corpus / "speech.csv").read_text()
    (corpus / "speech.csv").write_text(speech + "gone.wav,x,CC0,train\n")
    with pytest.raises(ConfigError, match=r"speech\.csv, line 11, column file: no such file: gone\.wav"):
        load_corpus(corpus)
    (corpus / "speech.csv").write_text(speech.replace("speaker", "talker", 1))
    with pytest.raises(ConfigError, match=r"speech\.csv: lacks the column speaker"):
        load_corpus(corpus)
    (corpus / "speech.csv").write_text(speech.replace("CC0,train", "CC0,practice", 1))
    with pytest.raises(ConfigError, match=r"line 2, column split: split is 'practice'"):
        load_corpus(corpus)


def test_pairs_are_the_same_each_time(tmp_path: Path) -> None:
    corpus = load_corpus(small_corpus(tmp_path / "c"))
    first, second = make_pairs(corpus, "test", 3), make_pairs(corpus, "test", 3)
    assert all((a.noisy == b.noisy).all() and (a.clean == b.clean).all() for a, b in zip(first, second, strict=True))
    assert len(first[0].clean) == len(first[0].noisy) == 6 * 16000 // 256 * 256
