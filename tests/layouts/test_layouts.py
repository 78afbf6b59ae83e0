# SPDX-License-Identifier: Apache-2.0
"""Published layouts are read as they are unpacked, with what their tables tell; converted, they train."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from published import published_tree
from trees import demand, dns, esc50, fill, librispeech, libritts, musan, touch, vctk

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.conversion import convert_corpus
from dyncp.train.corpora.corpus import load_corpus, read_parts
from dyncp.train.corpora.layouts.demand import PLACES
from dyncp.train.corpora.layouts.musan import license_in
from dyncp.train.corpora.layouts.voicebank import CATEGORIES
from dyncp.train.corpora.recordings import Recording, is_redistributable
from dyncp.train.corpora.splits import settle_splits
from dyncp.train.mixing.pairs import make_pairs

Tree = Callable[[Path], Path]


def speech(folder: Path) -> dict[str, Recording]:
    return {r.path.stem: r for r in settle_splits(read_parts(folder)[0])}


def noise(folder: Path) -> dict[str, Recording]:
    return {r.path.stem: r for r in settle_splits(read_parts(folder)[1])}


@pytest.mark.parametrize("tree", [librispeech, libritts])
def test_librispeech_and_libritts(tmp_path: Path, tree: Tree) -> None:
    found = settle_splits(read_parts(tree(tmp_path))[0])
    about = {r.group: (r.gender, r.split, r.license) for r in found}
    assert about == {
        "LibriVox 103": ("F", "train", "CC BY 4.0"),
        "LibriVox 14": ("F", "train", "CC BY 4.0"),
        "LibriVox 1272": ("M", "validation", "CC BY 4.0"),
        "LibriVox 1089": ("M", "test", "CC BY 4.0"),
    }
    assert not read_parts(tmp_path)[1]


def test_one_subset_of_librispeech_is_split_by_its_readers(tmp_path: Path) -> None:
    librispeech(tmp_path)
    alone = read_parts(tmp_path / "train-clean-100")[0]
    assert [(r.group, r.gender, r.fixed_split) for r in alone] == [("LibriVox 103", "F", None)] * 2
    shutil.rmtree(tmp_path / "dev-clean")
    some = read_parts(tmp_path)[0]
    # Without the published validation readers, the hash takes some of the training readers, and no test reader.
    assert {r.fixed_split for r in some if r.group == "LibriVox 1089"} == {"test"}
    assert {r.fixed_split for r in some if r.group != "LibriVox 1089"} <= {"train", "validation"}


def test_vctk(tmp_path: Path) -> None:
    found = speech(vctk(tmp_path))
    assert len(found) == 4 + 2 + 4 + 1
    assert (found["p225_001_mic1"].group, found["p225_001_mic2"].group) == ("p225", "p225")
    about = {r.group: (r.gender, r.accent, r.license) for r in found.values()}
    assert about == {
        "p225": ("F", "English", "CC BY 4.0"),
        "p280": ("F", "", "CC BY 4.0"),
        "p326": ("M", "Australian", "CC BY 4.0"),
        "s5": ("U", "", "CC BY 4.0"),
    }


def test_dns_challenge(tmp_path: Path) -> None:
    found = speech(dns(tmp_path))
    groups = {stem: r.group for stem, r in found.items()}
    assert groups["book_00000_chp_0009_reader_06709_0_seg_1_seg1"] == groups["book_00003_chp_0010_reader_06709_2"]
    assert groups["p225_001_mic1"] == "p225"
    assert groups["1001_DFA_ANG_XX"] == "CREMA-D 1001"
    assert found["f1_arpeggios_belt_c_a"].gender == found["es_SLR61_es_ar_female_arf_06592_00774535859"].gender == "F"
    spanish = {group for stem, group in groups.items() if stem.startswith("es_SLR61")}
    french = {group for stem, group in groups.items() if stem.startswith("M-AILABS")}
    assert spanish == {"SLR61_es_ar_female_arf_06592"}
    assert french == {"DNS french_speech"}
    about = {stem: (r.group, r.category, r.license) for stem, r in noise(tmp_path).items()}
    assert about == {
        "door_Freesound_validated_235661_0": ("freesound 235661", "door", "CC0"),
        "door_Freesound_validated_235661_7": ("freesound 235661", "door", "CC0"),
        "breath_spit_Freesound_validated_422419_0": ("freesound 422419", "breath_spit", "CC0"),
        "FXlL-WffpM0": ("AudioSet FXlL-WffpM0", "AudioSet", "CC BY 4.0"),
    }


@pytest.mark.parametrize("part", ["", "datasets_fullband", "datasets_fullband/clean_fullband"])
def test_dns_challenge_from_any_of_its_folders(tmp_path: Path, part: str) -> None:
    whole, inner = read_parts(dns(tmp_path)), read_parts(tmp_path / part)
    assert inner[0] == whole[0]
    assert inner[1] == ([] if part.endswith("clean_fullband") else whole[1])


@pytest.mark.parametrize("part", ["", "datasets"])
def test_the_first_dns_challenge(tmp_path: Path, part: str) -> None:
    touch(tmp_path, "datasets/clean/book_00000_chp_0009_reader_06709_0.wav", "datasets/noise/FXlL-WffpM0.wav")
    speech_part, noise_part = read_parts(tmp_path / part)
    assert [r.group for r in (*speech_part, *noise_part)] == ["LibriVox 6709", "AudioSet FXlL-WffpM0"]


def test_a_reader_is_one_speaker_in_all_corpora_of_librivox(tmp_path: Path) -> None:
    both = load_corpus([librispeech(tmp_path / "LibriSpeech"), dns(tmp_path / "DNS")])
    reader = [r for r in both.speech if r.group == "LibriVox 103"]
    assert {r.path.suffix for r in reader} == {".flac", ".wav"}
    assert {r.split for r in reader} == {"train"}


def test_demand(tmp_path: Path) -> None:
    found = settle_splits(read_parts(demand(tmp_path))[1])
    assert len(found) == 64
    about = {r.group: (r.category, r.split) for r in found}
    assert about == {
        "DEMAND kitchen": ("Domestic", "train"),
        "DEMAND restaurant": ("Public", "validation"),
        "DEMAND psquare": ("Street", "test"),
        "DEMAND park": ("Nature", "train"),
    }
    assert set(PLACES.values()) <= set(CATEGORIES)
    assert len(PLACES) == 18


def test_three_places_of_demand_are_enough(tmp_path: Path) -> None:
    found = settle_splits(read_parts(demand(tmp_path, ("DKITCHEN", "NPARK", "OOFFICE")))[1])
    assert len({(r.group, r.split) for r in found}) == 3
    assert {r.split for r in found} == {"train", "validation", "test"}


def test_demand_and_voicebank_share_their_places(tmp_path: Path) -> None:
    both = load_corpus([published_tree(tmp_path / "VoiceBank"), demand(tmp_path / "DEMAND")])
    kitchen = [r for r in both.noise if r.group == "DEMAND kitchen"]
    assert len(kitchen) > 16
    assert {r.split for r in kitchen} == {"train"}


def test_musan(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        about = {stem: (r.category, r.license) for stem, r in noise(musan(tmp_path)).items()}
    assert "1 audio files left out, which MUSAN has no place for: speech/us-gov/speech-us-gov-0000.wav" in caplog.text
    assert about == {
        "noise-free-sound-0000": ("Noise", "Public domain"),
        "noise-free-sound-0001": ("Background", "Public domain"),
        "noise-free-sound-0002": ("Noise", "Public domain"),
        "noise-sound-bible-0000": ("Noise", "unknown"),
        "noise-sound-bible-0001": ("Noise", "CC BY 3.0"),
        "noise-sound-bible-0002": ("Noise", "Public domain"),
        "noise-sound-bible-0003": ("Noise", "CC BY-NC 3.0"),
        "music-fma-0000": ("Music", "CC BY-NC-SA 3.0"),
        "music-fma-0001": ("Music", "unknown"),
    }
    readers = {stem: (r.gender, r.accent) for stem, r in speech(tmp_path).items()}
    assert readers == {
        "speech-librivox-0000": ("F", "english"),
        "speech-librivox-0001": ("M", "hebrew"),
        "speech-librivox-0002": ("U", ""),
    }


@pytest.mark.parametrize(
    ("text", "name", "free"),
    [
        ("licensed under CC BY-SA 4.0", "CC BY-SA 4.0", True),
        ("Creative Commons Attribution-NonCommercial-NoDerivs", "CC BY-NC-ND", False),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "Public domain", True),
        ("all rights reserved", "unknown", False),
    ],
)
def test_licences_in_words(text: str, name: str, free: bool) -> None:
    assert license_in(text) == name
    assert is_redistributable(name) == free


def test_esc50(tmp_path: Path) -> None:
    about = {stem: (r.group, r.category, r.split, r.license) for stem, r in noise(esc50(tmp_path)).items()}
    assert about == {
        "1-100032-A-0": ("freesound 100032", "dog", "train", "CC BY 3.0"),
        "2-100210-A-36": ("freesound 100210", "vacuum_cleaner", "train", "CC BY-NC 3.0"),
        "2-100210-B-36": ("freesound 100210", "vacuum_cleaner", "train", "CC BY-NC 3.0"),
        "4-182395-A-0": ("freesound 182395", "dog", "validation", "CC BY 3.0"),
        "5-210612-A-37": ("freesound 210612", "siren", "test", "CC BY-NC 3.0"),
    }


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("1-100032-A-0.wav,1", "1-100032-A-0.wav,9", r"esc50\.csv, line 2, column fold: fold is '9', not one of 1, 2"),
        ("True,100032", "maybe,100032", r"esc50\.csv, line 2, column esc10: esc10 is 'maybe'"),
        ("src_file", "source", r"esc50\.csv: lacks the column src_file"),
    ],
)
def test_complaints_about_esc50_name_line_and_column(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    table = esc50(tmp_path) / "meta" / "esc50.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=complaint):
        read_parts(tmp_path)


def test_a_complaint_about_vctks_table_names_the_line(tmp_path: Path) -> None:
    table = vctk(tmp_path) / "speaker-info.txt"
    table.write_text(table.read_text().replace("23  F", "23  X"))
    with pytest.raises(ConfigError, match=r"speaker-info\.txt, line 2: is not `ID AGE F\|M ACCENT"):
        read_parts(tmp_path)


def test_published_corpora_may_lie_in_folders_of_ones_own(tmp_path: Path) -> None:
    librispeech(tmp_path / "speech" / "LibriSpeech")
    vctk(tmp_path / "speech" / "VCTK-Corpus-0.92")
    demand(tmp_path / "noise" / "DEMAND")
    esc50(tmp_path / "noise" / "ESC-50-master")
    corpus = load_corpus(tmp_path)
    assert {r.group for r in corpus.speech} >= {"LibriVox 103", "p225"}
    assert {r.group for r in corpus.noise} >= {"DEMAND kitchen", "freesound 100032"}


def test_a_folder_above_several_says_which_they_are(tmp_path: Path) -> None:
    librispeech(tmp_path / "LibriSpeech")
    demand(tmp_path / "demand")
    with pytest.raises(ConfigError, match=r"one level too high; below it are .*LibriSpeech \(LibriSpeech or Libri"):
        load_corpus(tmp_path)


@pytest.mark.parametrize(("tree", "rate"), [(librispeech, 16_000), (libritts, 48_000), (vctk, 48_000), (dns, 48_000)])
def test_speech_of_any_rate_is_mixed_with_demand_once_it_is_converted(tmp_path: Path, tree: Tree, rate: int) -> None:
    source, target = fill(tree(tmp_path / "speech"), rate), tmp_path / "converted"
    before = read_parts(source)[0]
    convert_corpus(source, target)
    after = read_parts(target)[0]
    assert [(r.path.relative_to(target), r.group, r.gender) for r in after] == [
        (r.path.relative_to(source), r.group, r.gender) for r in before
    ]
    corpus = load_corpus([target, fill(demand(tmp_path / "demand", ("DKITCHEN", "NPARK", "OOFFICE")), 16_000)])
    assert len(make_pairs(corpus, "train", 2)) == 2


@pytest.mark.parametrize(("tree", "rate"), [(musan, 16_000), (esc50, 48_000), (demand, 48_000), (dns, 48_000)])
def test_noise_of_any_rate_is_mixed_with_speech_once_it_is_converted(tmp_path: Path, tree: Tree, rate: int) -> None:
    convert_corpus(fill(tree(tmp_path / "noise"), rate), tmp_path / "converted")
    corpus = load_corpus([fill(librispeech(tmp_path / "speech"), 16_000), tmp_path / "converted"])
    assert len(make_pairs(corpus, "test", 2)) == 2
