# SPDX-License-Identifier: Apache-2.0
"""Clips are drawn where somebody speaks and with noise that is one; recordings that have neither are named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signals import HOP, Pcm, speech_like
from sounds import small_corpus

from dyncp.base.audio import active_rms, to_pcm, write_pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.audible import NOISE, SPEECH, Audible, settle
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import Corpus
from dyncp.train.corpora.sources import read_sources
from dyncp.train.mixing.clips import Mixer, Signal, _float
from dyncp.train.mixing.pairs import EVERYDAY, make_pairs
from dyncp.train.streams.demo import noisy_speech
from dyncp.train.streams.streams import StreamConfig, make_stream

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(5)
MINUTE = 60 * SAMPLE_RATE
NOTHING = {
    "silence": np.zeros(8 * SAMPLE_RATE, np.int16),
    "offset": np.full(8 * SAMPLE_RATE, 1000, np.int16),
    "dither": RNG.integers(-1, 2, 8 * SAMPLE_RATE).astype(np.int16),
    "quiet room": RNG.integers(-3, 4, 8 * SAMPLE_RATE).astype(np.int16),
    "click": np.where(np.arange(8 * SAMPLE_RATE) == 70_000, 30_000, 0).astype(np.int16),
    "tiny": speech_like(100)[3000:3800],
    "one sample": np.array([12_000], np.int16),
}


def bursts(sound: Pcm, pause: int) -> Pcm:
    """The sound at both ends of a pause."""
    return np.concatenate([sound, np.zeros(pause, np.int16), sound])


def with_recordings(folder: Path, kind: str, added: dict[str, Pcm]) -> Corpus:
    """A faultless corpus with more recordings of one kind in its test split."""
    small_corpus(folder)
    rows = []
    for name, pcm in added.items():
        write_pcm(folder / kind / f"{name}.wav", pcm)
        rows.append(f"{kind}/{name}.wav,{name},CC0,test")
    with (folder / f"{kind}.csv").open("a") as table:
        table.write("\n".join(rows) + "\n")
    return load_corpus(folder)


def noise_of(samples: int, seed: int = 0) -> Pcm:
    return to_pcm(0.05 * np.random.default_rng(seed).standard_normal(samples))


@pytest.mark.parametrize("kind", ["speech", "noise"])
@pytest.mark.parametrize("name", NOTHING)
def test_a_recording_of_nothing_is_left_out_and_named(
    tmp_path: Path, kind: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    plain = read_sources(load_corpus(small_corpus(tmp_path / "plain")).split("test"))
    corpus = with_recordings(tmp_path / "c", kind, {name: NOTHING[name]})
    with caplog.at_level(logging.WARNING):
        sources = read_sources(corpus.split("test"))
    assert f"left out, because they hold no {kind}: 1 of the recordings" in caplog.text
    assert f"{name}.wav: holds no {kind}: of {len(NOTHING[name]) / SAMPLE_RATE:.2f} s" in caplog.text
    for kept, before in ((sources.speech, plain.speech), (sources.noise, plain.noise)):
        assert len(kept) == len(before)
        assert all(np.array_equal(a, b) for a, b in zip(kept, before, strict=True))


def test_quiet_and_short_speech_is_speech(tmp_path: Path) -> None:
    added = {"quiet": speech_like(200, level_dbfs=-55), "short": speech_like(60)}
    corpus = with_recordings(tmp_path / "c", "speech", added)
    assert {r.group for r in read_sources(corpus.split("test")).corpus.speech} >= {"quiet", "short"}


def test_a_click_does_not_hide_speech(tmp_path: Path) -> None:
    clicked = speech_like(200, level_dbfs=-50)
    clicked[100] = 32767
    corpus = with_recordings(tmp_path / "c", "speech", {"clicked": clicked})
    assert "clicked" in {r.group for r in read_sources(corpus.split("test")).corpus.speech}


def test_a_split_of_nothing_is_refused_with_names(tmp_path: Path) -> None:
    corpus = load_corpus(small_corpus(tmp_path / "c"))
    for index in range(3):
        write_pcm(tmp_path / "c" / "speech" / f"test{index}.wav", NOTHING["dither"])
    with pytest.raises(ConfigError, match=r"none of 3 recordings of speech in this split holds any:\n  .*test0\.wav"):
        make_pairs(corpus, "test", 2)


TRAINING = MixingConfig(clip_s=2.0, noise_only=0)


@pytest.mark.parametrize("pause_s", [10, 60])
def test_training_clips_hold_speech_and_noise_where_recordings_pause(pause_s: int) -> None:
    speech = bursts(speech_like(120), pause_s * SAMPLE_RATE)
    noise = bursts(noise_of(4000), pause_s * SAMPLE_RATE)
    plain = Plain([speech], [noise], TRAINING)
    mixer = Mixer([speech], [noise], TRAINING)
    for seed in range(40):
        clip = mixer.clip(np.random.default_rng(seed))
        assert Audible.of(to_pcm(clip.clean), SPEECH).total >= 10
        assert np.abs(clip.noisy - clip.clean).max() > 1e-4
    # As they were drawn before, most were silent.
    silent = [not plain.clip(np.random.default_rng(seed)).clean.any() for seed in range(40)]
    assert sum(silent) > 15


def test_a_short_utterance_is_not_cut_off_by_a_change_of_speed() -> None:
    utterance = np.concatenate([np.zeros(4000, np.int16), speech_like(60)[2000:10_000]])
    mixer = Mixer([utterance], [noise_of(MINUTE)], TRAINING.model_copy(update={"speed": 0.4}))
    heard = [Audible.of(to_pcm(mixer.clip(np.random.default_rng(seed)).clean), SPEECH).total for seed in range(60)]
    assert min(heard) >= 10


@pytest.mark.parametrize("mixing", [EVERYDAY.model_copy(update={"noise_only": 0}), EVERYDAY])
def test_pairs_hold_speech_and_noise_where_recordings_pause(tmp_path: Path, mixing: MixingConfig) -> None:
    talk = bursts(speech_like(120), MINUTE)
    corpus = with_recordings(tmp_path / "c", "speech", {f"talker{i}": talk for i in range(12)})
    pairs = make_pairs(corpus, "test", 30, mixing)
    assert len(pairs) == 30
    assert any("talker" in pair.name for pair in pairs)
    for pair in pairs:
        if pair.snr_db != -np.inf:
            assert Audible.of(pair.clean, SPEECH).total >= SPEECH.least
            level = active_rms(pair.clean / 32768)
            noise = np.sqrt(np.mean(np.square((pair.noisy.astype(float) - pair.clean) / 32768)))
            assert 20 * np.log10(level / noise) == pytest.approx(pair.snr_db, abs=0.5)


def test_mixtures_that_cannot_be_drawn_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Single words, a minute apart: no clip of six seconds holds enough of them."""
    word = speech_like(60)[2000:5000]
    sparse = np.concatenate([np.concatenate([word, np.zeros(MINUTE, np.int16)]) for _ in range(12)])
    corpus = with_recordings(tmp_path / "c", "speech", {"sparse": sparse})
    only = Corpus(tuple(r for r in corpus.speech if r.group == "sparse"), corpus.noise)
    with caplog.at_level(logging.WARNING):
        assert make_pairs(only, "test", 3) == []
    assert "3 of 3 mixtures left out" in caplog.text


def test_streams_hold_speech_and_noise_where_recordings_pause(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    small_corpus(tmp_path / "c")
    for index in range(3):
        write_pcm(tmp_path / "c" / "speech" / f"test{index}.wav", bursts(speech_like(80, seed=index), MINUTE))
    write_pcm(tmp_path / "c" / "noise" / "test.wav", bursts(noise_of(30_000), MINUTE))
    write_pcm(tmp_path / "c" / "speech" / "test2.wav", NOTHING["silence"])
    with caplog.at_level(logging.WARNING):
        stream = make_stream(load_corpus(tmp_path / "c"), "test", 3, StreamConfig(utterance_s=4))
    assert "test2.wav: holds no speech" in caplog.text
    assert {segment.recording.group for segment in stream.speech} == {"test0", "test1"}
    for segment in stream.speech:
        assert Audible.of(stream.clean[segment.samples], SPEECH).total > 5
    for segment in stream.noises:
        assert stream.noise[segment.samples].any()


def test_the_demonstration_needs_one_speaker_and_one_noise(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "c", speakers=1)
    stream = noisy_speech(corpus, 12)
    assert len(stream.speech) == len(stream.noises) == 2
    assert all(stream.noise[segment.samples].any() for segment in stream.noises)


class Plain(Mixer):
    """Draws as if every stretch of every recording were as good as any other."""

    def _speech_crop(self, rng: np.random.Generator) -> tuple[Signal, int]:
        index = int(rng.integers(len(self.speech)))
        utterance = self.speech[index]
        spare = len(utterance) - self._source_samples
        if spare >= 0:
            start = rng.integers(spare + 1)
            return _float(utterance[start : start + self._source_samples]), index
        before = rng.integers(-spare + 1)
        return np.pad(_float(utterance), (before, -spare - before)), index

    def _noise_crop(self, rng: np.random.Generator) -> tuple[Signal, int]:
        index = int(rng.integers(len(self.noise)))
        recording = self.noise[index]
        start = rng.integers(len(recording))
        stretch = recording[start : start + self._source_samples]
        missing = self._source_samples - len(stretch)
        return _float(np.concatenate([stretch, np.resize(recording, missing)])), index


def same(a: Mixer, b: Mixer, seeds: Sequence[int]) -> list[bool]:
    clips = [(a.clip(np.random.default_rng(seed)), b.clip(np.random.default_rng(seed))) for seed in seeds]
    return [np.array_equal(x.noisy, y.noisy) and np.array_equal(x.clean, y.clean) for x, y in clips]


@pytest.mark.parametrize("clip_s", [0.5, 2.0, 6.0])
def test_a_corpus_without_faults_has_the_clips_that_it_had(clip_s: float) -> None:
    speech = [speech_like(frames, seed=frames) for frames in (130, 200, 400, 900)]
    noise = [noise_of(samples, seed=samples) for samples in (5000, 70_000, 200_000)]
    config = MixingConfig(clip_s=clip_s)
    assert all(same(Mixer(speech, noise, config), Plain(speech, noise, config), range(100)))


def test_one_fault_changes_no_other_clip() -> None:
    speech = [speech_like(900, seed=seed) for seed in range(5)]
    noise = [noise_of(200_000)]
    faulty = [*speech[:4], bursts(speech[4][: 50 * HOP], 800 * HOP)]
    mixer, plain = Mixer(faulty, noise, TRAINING), Plain(faulty, noise, TRAINING)
    unchanged = same(mixer, plain, range(200))
    drawn = [plain.clip(np.random.default_rng(seed)).speech for seed in range(200)]
    assert not all(unchanged)
    assert all(same for same, voice in zip(unchanged, drawn, strict=True) if voice != 4)


@given(
    heard=st.lists(st.booleans(), min_size=1, max_size=200).filter(any),
    samples=st.integers(2 * HOP, 80 * HOP),
    start=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_a_settled_stretch_lies_in_the_recording_and_is_never_worse(
    heard: list[bool], samples: int, start: float, seed: int
) -> None:
    audible = Audible(np.concatenate([[0], np.cumsum(heard)]).astype(np.int32))
    latest = max(0, len(heard) * HOP - samples)
    first = int(start * latest)
    settled = settle(audible, NOISE, first, samples, latest, np.random.default_rng(seed))
    assert 0 <= settled <= latest
    assert audible.within(settled, settled + samples) >= audible.within(first, first + samples)


@given(
    heard=st.lists(st.booleans(), min_size=1, max_size=40), start=st.integers(0, 9000), length=st.integers(0, 30_000)
)
def test_within_counts_what_a_repeated_recording_holds(heard: list[bool], start: int, length: int) -> None:
    """Against the hops written out."""
    audible = Audible(np.concatenate([[7], 7 + np.cumsum(heard)]).astype(np.int32))
    repeated = heard * (2 + (start + length) // HOP // len(heard))
    hops = range(-(-start // HOP), (start + length) // HOP)
    assert audible.within(start, start + length) == sum(repeated[hop] for hop in hops)
