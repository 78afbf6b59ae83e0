# SPDX-License-Identifier: Apache-2.0
"""VoiceBank+DEMAND in its published layout: recovered noise, tables, splits, and complaints that name file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from published import EXAMPLES, SPEAKER_INFO, published_tree

from dyncp.base.audio import read_pcm, write_pcm
from dyncp.base.errors import AudioError, ConfigError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.layouts.voicebank import CATEGORIES, NOISE_SPLITS
from dyncp.train.corpora.recordings import Corpus, read_recording
from dyncp.train.mixing.pairs import make_pairs
from dyncp.train.streams.streams import make_stream


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return published_tree(tmp_path / "published")


def test_noise_is_noisy_minus_clean_to_the_bit(tree: Path) -> None:
    corpus = load_corpus(tree)
    assert len(corpus.speech) == len(corpus.noise) == len(EXAMPLES)
    for recording in corpus.noise:
        utterance = recording.path.stem
        assert np.array_equal(read_recording(recording), EXAMPLES[utterance].noise)
    for recording in corpus.speech:
        assert np.array_equal(read_recording(recording), EXAMPLES[recording.path.stem].clean)


def test_a_difference_beyond_int16_saturates(tree: Path) -> None:
    noise = load_corpus(tree).noise[0]
    assert noise.minus is not None
    samples = len(read_pcm(noise.path))
    write_pcm(noise.path, np.full(samples, 30_000, np.int16))
    write_pcm(noise.minus, np.full(samples, -30_000, np.int16))
    assert (read_recording(noise) == 32767).all()
    write_pcm(noise.minus, np.full(samples - 1, -30_000, np.int16))
    with pytest.raises(AudioError, match=rf"{noise.path.name}: has {samples} samples, but its partner"):
        read_recording(noise)


def test_gender_and_accent_come_from_the_speaker_table(tree: Path) -> None:
    about = {r.group: (r.gender, r.accent) for r in load_corpus(tree).speech}
    assert about["p226"] == ("M", "English")
    assert about["p234"] == ("F", "Scottish")
    assert about["p326"] == ("M", "Australian")
    assert about["p280"] == ("F", "")


def test_newer_tables_write_the_number_with_a_p(tree: Path) -> None:
    before = load_corpus(tree)
    lines = SPEAKER_INFO.splitlines()
    (tree / "speaker-info.txt").write_text("\n".join([lines[0] + " COMMENTS", *(f"p{line}" for line in lines[1:])]))
    assert load_corpus(tree) == before


def test_without_a_table_gender_and_accent_are_unknown(tree: Path) -> None:
    (tree / "speaker-info.txt").unlink()
    assert {(r.gender, r.accent) for r in load_corpus(tree).speech} == {("U", "")}


def test_categories_are_demands_and_the_published_set_has_six() -> None:
    published = (
        "babble cafeteria car kitchen meeting metro restaurant ssn station traffic bus cafe living office psquare"
    )
    assert {CATEGORIES[name] for name in published.split()} == {
        "Artificial",
        "Domestic",
        "Office",
        "Public",
        "Street",
        "Transportation",
    }
    # Every category that is validated can be trained.
    trained = {CATEGORIES[name] for name in published.split() if name not in NOISE_SPLITS}
    assert {CATEGORIES[name] for name in NOISE_SPLITS} <= trained


def test_splits_share_no_speaker_and_no_demand_recording(tree: Path) -> None:
    corpus = load_corpus(tree)
    parts = [corpus.split("train"), corpus.split("validation"), corpus.split("test")]
    for index, part in enumerate(parts):
        for other in parts[index + 1 :]:
            assert not {r.group for r in part.speech} & {r.group for r in other.speech}
            assert not {r.group for r in part.noise} & {r.group for r in other.noise}
    assert {r.group for r in parts[2].speech} == {"p232", "p257"}
    assert {r.group for r in parts[2].noise} == {"DEMAND bus", "DEMAND psquare"}
    assert {r.gender for r in parts[1].speech} == {"F", "M"}
    assert sum(len(part.speech) for part in parts) == len(EXAMPLES)


def test_logs_may_lie_in_their_own_folder(tree: Path) -> None:
    before = load_corpus(tree)
    (tree / "logfiles").mkdir()
    for path in tree.glob("log_*.txt"):
        path.rename(tree / "logfiles" / path.name)
    assert load_corpus(tree) == before


def test_the_test_set_alone_is_a_corpus(tree: Path) -> None:
    for folder in tree.glob("*_trainset_*spk_wav"):
        folder.rename(tree.parent / folder.name)
    corpus = load_corpus(tree)
    assert len(corpus.split("test").speech) == 4
    with pytest.raises(ConfigError, match="`train` holds no speech"):
        corpus.split("train")


def test_pairs_and_streams_are_mixed_from_it(tree: Path) -> None:
    corpus = load_corpus(tree)
    pair = make_pairs(corpus, "test", 2)[1]
    assert not np.array_equal(pair.clean, pair.noisy)
    stream = make_stream(corpus, "test", 0.5)
    assert set(stream.noise_categories()) == {"Transportation", "Street"}
    assert set(stream.speakers()) == {"", "p232", "p257"}


def append(name: str, text: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        with (tree / name).open("a") as file:
            file.write(text)

    return change


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        text = (tree / name).read_text()
        assert old in text
        (tree / name).write_text(text.replace(old, new))

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda tree: (tree / name).unlink()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (remove("noisy_testset_wav/p232_001.wav"), r"noisy_testset_wav/p232_001\.wav: missing, while its partner"),
        (remove("clean_testset_wav/p232_001.wav"), r"clean_testset_wav/p232_001\.wav: missing, while its partner"),
        (remove("log_testset.txt"), r"log_testset\.txt: no such file"),
        (replace("log_testset.txt", "p232_001 bus", "p999_001 bus"), r"log_testset\.txt: has no line for p232_001"),
        (replace("log_testset.txt", "1.750000e+01", "loud"), r"log_testset\.txt, line 1: is not `utterance noise SNR`"),
        (append("log_trainset_28spk.txt", "p226_009\n"), r"log_trainset_28spk\.txt, line 9: is not"),
        (replace("log_testset.txt", "psquare", "moon"), r"log_testset\.txt, line 2: unknown noise 'moon'; known are"),
        (replace("speaker-info.txt", "ID  AGE", "AGE  ID"), r"speaker-info\.txt, line 1: the columns must be"),
        (replace("speaker-info.txt", "232  23  M", "232  23  X"), r"speaker-info\.txt, line 5: is not `ID AGE F\|M"),
        (append("speaker-info.txt", "400 20 F\n"), r"speaker-info\.txt, line 11: is not `ID AGE F\|M ACCENT"),
        (replace("speaker-info.txt", "257  24", "999  24"), r"speaker-info\.txt: has no line for speaker 257"),
    ],
)
def test_complaints_name_file_and_line(tree: Path, damage: Callable[[Path], None], complaint: str) -> None:
    damage(tree)
    with pytest.raises(ConfigError, match=complaint):
        load_corpus(tree)


def test_a_published_tree_of_48_khz_is_refused_until_it_is_converted(tmp_path: Path) -> None:
    corpus: Corpus = load_corpus(published_tree(tmp_path / "published", rate=48_000))
    with pytest.raises(AudioError, match=r"48000 Hz; resample to 16000 Hz first \(a corpus: with `dyncp corpus`\)"):
        make_stream(corpus, "test", 0.5)
