# SPDX-License-Identifier: Apache-2.0
"""`dyncp corpus`: any layout, any rate, to 16 kHz mono, under the same names; whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from published import published_tree
from sounds import small_corpus

from dyncp.base.audio import read_pcm, write_pcm
from dyncp.base.errors import AudioError, ConfigError
from dyncp.train.corpora.conversion import convert_corpus
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_recording


def files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def tone(frequency: float, rate: int, seconds: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(0.25 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate))


def test_the_command_brings_a_published_tree_to_16_khz(tmp_path: Path) -> None:
    source = published_tree(tmp_path / "published", rate=48_000)
    # A tone below and one above the new Nyquist frequency: the first stays as it is, the second goes.
    kept, gone = (tone(frequency, 48_000, 2) for frequency in (1000, 9000))
    soundfile.write(source / "clean_testset_wav" / "p232_001.wav", kept, 48_000, subtype="PCM_16")
    soundfile.write(source / "noisy_testset_wav" / "p232_001.wav", kept + gone, 48_000, subtype="PCM_16")
    target = tmp_path / "16k"
    command = [sys.executable, "-c", "from dyncp.cli import app; app()", "corpus", str(source), str(target), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(result.stdout) == {"resampled": 28, "copied": 4, "saturated": 0, "left_out": []}
    assert files(target) == files(source)
    corpus = load_corpus(target)
    assert [r.split for r in corpus.speech] == [r.split for r in load_corpus(source).speech]
    clean = next(r for r in corpus.speech if r.path.stem == "p232_001")
    noise = next(r for r in corpus.noise if r.path.stem == "p232_001")
    inner = slice(400, -400)
    assert len(read_recording(clean)) == 32_000
    assert np.abs(read_recording(clean)[inner] - 32768 * tone(1000, 16_000, 2)[inner]).max() <= 1.5
    assert np.abs(read_recording(noise)[inner]).max() <= 3


def test_tables_keep_their_names_and_files_of_16_khz_their_bytes(tmp_path: Path) -> None:
    source = small_corpus(tmp_path / "corpus")
    soundfile.write(source / "speech" / "train0.wav", tone(440, 44_100), 44_100)
    done = convert_corpus(source, tmp_path / "out")
    assert (done.resampled, done.copied, done.saturated) == (1, 13, 0)
    assert files(tmp_path / "out") == files(source)
    assert len(read_pcm(tmp_path / "out" / "speech" / "train0.wav")) == 16_000
    for name in ("speech.csv", "noise.csv", "speech/test1.wav"):
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()


@pytest.mark.parametrize(("suffix", "tolerance"), [("wav", 1.5 / 32768), ("flac", 1.5 / 32768), ("ogg", 0.02)])
def test_formats_stay_and_channels_are_mixed_down(tmp_path: Path, suffix: str, tolerance: float) -> None:
    for folder in ("speech/anna", "noise/hum"):
        (tmp_path / "c" / folder).mkdir(parents=True)
    write_pcm(tmp_path / "c" / "speech" / "anna" / "1.wav", np.ones(16_000, np.int16))
    name = f"noise/hum/long.{suffix}"
    left = tone(500, 32_000, 20)
    soundfile.write(tmp_path / "c" / name, np.stack([left, np.zeros_like(left)], axis=1), 32_000)
    convert_corpus(tmp_path / "c", tmp_path / "out")
    mixed, rate = soundfile.read(tmp_path / "out" / name)
    assert rate == 16_000
    assert soundfile.info(tmp_path / "out" / name).format == suffix.upper()
    assert np.abs(mixed[400:-400] - tone(500, 16_000, 20)[400:-400] / 2).max() < tolerance


def test_what_exceeds_full_scale_is_saturated_and_counted(tmp_path: Path) -> None:
    source = small_corpus(tmp_path / "corpus")
    square = np.where(np.arange(48_000) % 96 < 48, 1.0, -1.0)
    soundfile.write(source / "noise" / "test.wav", square, 48_000, subtype="FLOAT")
    assert convert_corpus(source, tmp_path / "out").saturated == 1
    assert int(read_pcm(tmp_path / "out" / "noise" / "test.wav").max()) == 32767


def test_nothing_is_left_behind_where_a_file_is_bad(tmp_path: Path) -> None:
    source = small_corpus(tmp_path / "corpus")
    soundfile.write(source / "speech" / "test0.wav", np.full(100, np.nan), 48_000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"test0\.wav: holds samples that are not finite"):
        convert_corpus(source, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_folder_that_is_in_use_and_one_that_is_no_corpus_are_refused(tmp_path: Path) -> None:
    source = small_corpus(tmp_path / "corpus")
    with pytest.raises(ConfigError, match="exists already"):
        convert_corpus(source, source)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds neither"):
        convert_corpus(tmp_path / "empty", tmp_path / "out")
    convert_corpus(source, tmp_path / "empty")
    assert files(tmp_path / "empty") == files(source)
