# SPDX-License-Identifier: Apache-2.0
"""Shards draw the clips that the files draw, to the bit, in little memory; what is missing or altered is refused."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from published import published_tree
from signals import speech_like
from sounds import small_corpus
from trees import demand, fill, librispeech
from typer.testing import CliRunner

from dyncp.base.audio import read_pcm, write_pcm
from dyncp.base.config.experiment import Config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import AudioError, ConfigError
from dyncp.cli import commands
from dyncp.train.corpora.audible import NOISE, SPEECH, Audible
from dyncp.train.corpora.conversion import convert_corpus
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import Corpus, read_recording
from dyncp.train.corpora.sharding import shard_corpus
from dyncp.train.corpora.sources import read_sources
from dyncp.train.mixing.clips import Batches, Mixer, loader
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.mixing.pairs import EVERYDAY, make_pairs
from dyncp.train.streams.streams import make_stream

SPLITS = ("train", "validation", "test")


def own(folder: Path) -> Path:
    """With a recording that pauses, one that is silent, and none of them a whole number of hops."""
    small_corpus(folder)
    pausing = np.concatenate([speech_like(60)[:-100], np.zeros(400_000, np.int16), speech_like(60)])
    write_pcm(folder / "speech" / "train1.wav", pausing)
    write_pcm(folder / "speech" / "test1.wav", np.zeros(50_000, np.int16))
    write_pcm(folder / "speech" / "test2.wav", speech_like(130)[:-77])
    return folder


# Shards of some seconds: most recordings begin in the middle of one, and one is longer than a shard.
@pytest.mark.parametrize("limit", [1, 100_000, 1 << 28])
def test_recordings_come_back_to_the_bit_with_all_that_is_known_of_them(tmp_path: Path, limit: int) -> None:
    files = load_corpus(own(tmp_path / "c"))
    done = shard_corpus(tmp_path / "c", tmp_path / "shards", limit=limit)
    assert (done.speech, done.noise) == (len(files.speech) - 1, len(files.noise))
    assert [reason.partition(": ")[0] for reason in done.left_out] == [str(tmp_path / "c" / "speech" / "test1.wav")]
    sharded = load_corpus(tmp_path / "shards")
    for split in SPLITS:
        a, b = read_sources(files.split(split)), read_sources(sharded.split(split))
        for own_part, other, sound in ((a.speech, b.speech, SPEECH), (a.noise, b.noise, NOISE)):
            assert len(own_part) == len(other)
            for index, (r, s) in enumerate(zip(own_part.recordings, other.recordings, strict=True)):
                assert (r.group, r.license, r.gender, r.accent, r.category, r.split) == (
                    (s.group, s.license, s.gender, s.accent, s.category, s.split)
                )
                assert s.label == str(r.path)
                assert np.array_equal(own_part[index], other[index])
                measured, stored = Audible.of(own_part[index], sound), other.audible(index)
                assert np.array_equal(stored.before - stored.before[0], measured.before)


def test_batches_pairs_and_streams_are_those_of_the_files(tmp_path: Path) -> None:
    files = load_corpus(own(tmp_path / "c"))
    shard_corpus(tmp_path / "c", tmp_path / "shards", limit=100_000)
    sharded = load_corpus(tmp_path / "shards")
    config = Config(mixing=MixingConfig(clip_s=1.0), training=TrainingConfig(auxiliary_weight=0.1))
    for a, b in zip(load_mixers(files, config), load_mixers(sharded, config), strict=True):
        for workers in (0, 2):
            for x, y in zip(loader(Batches(a, 4, 7, 0, 3), 0), loader(Batches(b, 4, 7, 0, 3), workers), strict=True):
                assert torch.equal(x.noisy, y.noisy)
                assert torch.equal(x.clean, y.clean)
                assert torch.equal(x.level, y.level)
                assert x.labels is not None
                assert y.labels is not None
                assert torch.equal(x.labels.category, y.labels.category)
    pairs = (make_pairs(corpus, "test", 8, EVERYDAY) for corpus in (files, sharded))
    for one, other in zip(*pairs, strict=True):
        assert np.array_equal(one.noisy, other.noisy)
        assert one.name == other.name
    assert np.array_equal(make_stream(files, "train", 1).noisy, make_stream(sharded, "train", 1).noisy)


def test_differences_and_other_rates_become_what_conversion_makes_of_them(tmp_path: Path) -> None:
    published_tree(tmp_path / "48k", rate=48_000)
    convert_corpus(tmp_path / "48k", tmp_path / "16k")
    shard_corpus(tmp_path / "48k", tmp_path / "shards")
    converted, sharded = load_corpus(tmp_path / "16k"), load_corpus(tmp_path / "shards")
    for a, b in zip((*converted.speech, *converted.noise), (*sharded.speech, *sharded.noise), strict=True):
        assert np.array_equal(read_recording(a), read_recording(b))
        assert (a.group, a.split) == (b.group, b.split)


def test_a_composed_corpus_and_one_of_speech_alone(tmp_path: Path) -> None:
    fill(librispeech(tmp_path / "LibriSpeech"), 16_000)
    fill(demand(tmp_path / "demand"), 48_000)
    (tmp_path / "mine.toml").write_text('speech = ["LibriSpeech"]\nnoise = ["demand"]\n')
    shard_corpus(tmp_path / "mine.toml", tmp_path / "both")
    shard_corpus(tmp_path / "LibriSpeech", tmp_path / "speech")
    shard_corpus(tmp_path / "demand", tmp_path / "noise")
    both, parts = load_corpus(tmp_path / "both"), load_corpus([tmp_path / "speech", tmp_path / "noise"])
    for split in SPLITS:
        a, b = read_sources(both.split(split)), read_sources(parts.split(split))
        assert all(np.array_equal(x, y) for x, y in zip([*a.speech, *a.noise], [*b.speech, *b.noise], strict=True))


def test_shards_of_shards_are_the_same(tmp_path: Path) -> None:
    shard_corpus(own(tmp_path / "c"), tmp_path / "first")
    shard_corpus(tmp_path / "first", tmp_path / "second")
    assert {p.name: p.read_bytes() for p in (tmp_path / "first").iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "second").iterdir()
    }


def test_the_command(tmp_path: Path) -> None:
    arguments = ["corpus", str(own(tmp_path / "c")), str(tmp_path / "shards"), "--shards", "--json"]
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    told = json.loads(result.stdout)
    assert (told["speech"], told["noise"], len(told["left_out"])) == (8, 3, 1)
    assert "test1.wav: holds no speech" in result.stderr
    again = CliRunner().invoke(commands, arguments)
    assert isinstance(again.exception, ConfigError)
    assert "exists already" in str(again.exception)


def test_nothing_is_left_behind_where_a_file_is_bad(tmp_path: Path) -> None:
    soundfile.write(own(tmp_path / "c") / "speech" / "test0.wav", np.full(100, np.nan), 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"test0\.wav: holds 100 samples that are not finite numbers"):
        shard_corpus(tmp_path / "c", tmp_path / "shards")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"train0", b"train9", 1))


@pytest.mark.parametrize(
    ("name", "damage", "complaint"),
    [
        ("speech-0000.pcm", cut, r"speech-0000\.pcm: has [\d,]+ bytes instead of [\d,]+; make the shards again"),
        ("noise-0000.heard", Path.unlink, r"noise-0000\.heard: is missing"),
        ("recordings.csv", alter, r"recordings\.csv: is not as it was written"),
        ("recordings.csv", Path.unlink, r"recordings\.csv: is not as it was written"),
        ("shards.json", cut, r"shards\.json: is not valid JSON"),
        ("shards.json", lambda path: path.write_text("[" * 100_000), r"shards\.json: is not valid JSON"),
        ("shards.json", lambda path: path.write_text("{}"), r"shards\.json: schema_version: Field required"),
    ],
)
def test_what_is_missing_cut_short_or_altered_is_named(
    tmp_path: Path, name: str, damage: Callable[[Path], object], complaint: str
) -> None:
    shard_corpus(small_corpus(tmp_path / "c"), tmp_path / "shards")
    damage(tmp_path / "shards" / name)
    with pytest.raises(ConfigError, match=complaint):
        load_corpus(tmp_path / "shards")


def test_recordings_travel_to_other_processes_without_their_samples(tmp_path: Path) -> None:
    shard_corpus(small_corpus(tmp_path / "c"), tmp_path / "shards")
    sources = read_sources(load_corpus(tmp_path / "shards").split("train"))
    before = sources.speech[0]
    sent = pickle.dumps(sources)
    assert len(sent) < 5_000
    assert np.array_equal(pickle.loads(sent).speech[0], before)


# Memory that is no page of a file: those the system takes back when it needs them.
DRAW = """
import sys
from pathlib import Path
import numpy as np
from dyncp.base.config.mixing import MixingConfig
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.sources import read_sources
from dyncp.train.mixing.clips import Mixer

def own_mb():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024

small, large = sys.argv[1:]
def draw(folder):
    sources = read_sources(load_corpus(Path(folder)).split("train"))
    mixer = Mixer(sources.speech, sources.noise, MixingConfig(clip_s=1.0))
    for index in range(20):
        mixer.batch(8, (1, index))
    return sources
draw(small)
before = own_mb()
kept = draw(large)
print(own_mb() - before, sum(map(len, kept.speech)) * 2 / 2**20)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_hours(tmp_path: Path) -> None:
    """Two hours of speech, 220 MB, are drawn from in less than 20 MB more than two minutes."""
    small_corpus(tmp_path / "small")
    small_corpus(tmp_path / "large")
    hour = np.tile(speech_like(22_500), 10)
    for index in range(2):
        write_pcm(tmp_path / "large" / "speech" / f"train{index}.wav", hour)
    folders = []
    for name in ("small", "large"):
        shard_corpus(tmp_path / name, tmp_path / f"{name}-shards")
        folders.append(str(tmp_path / f"{name}-shards"))
    command = [sys.executable, "-c", DRAW, *folders]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    grown, held = map(float, done.stdout.split())
    assert held > 200
    assert grown < 20


def test_a_recording_of_a_shard_is_a_view_of_the_file(tmp_path: Path) -> None:
    shard_corpus(small_corpus(tmp_path / "c"), tmp_path / "shards")
    corpus: Corpus = load_corpus(tmp_path / "shards")
    pcm = read_recording(corpus.speech[0])
    assert isinstance(pcm.base, np.memmap)
    assert np.array_equal(pcm, read_pcm(tmp_path / "c" / "speech" / "train0.wav"))


def test_a_mixer_of_shards_changes_no_file(tmp_path: Path) -> None:
    shard_corpus(own(tmp_path / "c"), tmp_path / "shards")
    before = {p.name: p.read_bytes() for p in (tmp_path / "shards").iterdir()}
    sources = read_sources(load_corpus(tmp_path / "shards").split("train"))
    Mixer(sources.speech, sources.noise, MixingConfig()).batch(8, (1,))
    with pytest.raises(ValueError, match="read-only"):
        sources.speech[0][0] = 1
    assert {p.name: p.read_bytes() for p in (tmp_path / "shards").iterdir()} == before
