# SPDX-License-Identifier: Apache-2.0
"""Streams: clean + noise = noisy to the last bit, whole hops, measured SNR and level, disjoint splits, metadata."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from signals import HOP, speech_like

from dyncp.base.audio import Pcm, active_rms, to_pcm, write_pcm
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.recordings import Corpus, Recording, Split, read_recording
from dyncp.train.streams.streams import Segment, StreamConfig, make_stream

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
VOICES = (("F", "Scottish"), ("M", "Welsh"), ("F", "Irish"), ("U", ""))
# Shorter and longer than the 10 s to 20 s that a noise stays; the last is 26 dB louder in every fourth half second.
NOISES = {"Hum": 3.0, "Hiss": 25.0, "Clatter": 7.0}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(3)
    speech, noise = [], []
    for split in SPLITS:
        for number, (gender, accent) in enumerate(VOICES):
            for take in range(3):
                path = folder / f"{split}_{number}_{take}.wav"
                # Not whole hops, and of different lengths.
                write_pcm(path, speech_like(120 + 40 * take, seed=10 * number + take)[: -100 * take - 1])
                group = f"{split} {number}"
                speech.append(Recording(path, group, "CC0", gender=gender, accent=accent, fixed_split=split))
        for category, seconds in NOISES.items():
            path = folder / f"{split}_{category}.wav"
            write_pcm(path, to_pcm(_noise(category, round(16_000 * seconds), rng)))
            noise.append(Recording(path, f"{split} {category}", "CC0", category=category, fixed_split=split))
    return Corpus(tuple(speech), tuple(noise))


def _noise(category: str, samples: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    time = np.arange(samples) / 16_000
    hiss = rng.standard_normal(samples)
    if category == "Hum":
        return np.asarray(0.1 * np.sin(2 * np.pi * 100 * time) + 0.01 * hiss)
    return np.asarray(0.01 * hiss * (1.0 if category == "Hiss" else np.where(time % 2 < 0.5, 20.0, 1.0)))


def snr_db(clean: Pcm, noise: Pcm) -> float:
    return float(20 * np.log10(active_rms(clean / 1.0) / np.sqrt(np.mean(np.square(noise / 1.0)))))


CONFIGS = st.builds(
    StreamConfig,
    snr_db=st.sampled_from([(-5.0, 15.0), (0.0, 0.0), (-20.0, -10.0)]),
    level_dbfs=st.sampled_from([(-40.0, -15.0), (-3.0, 0.0)]),
    pause_s=st.sampled_from([(0.3, 1.5), (0.0, 0.0)]),
    noise_s=st.sampled_from([(10.0, 20.0), (1.0, 2.0)]),
)


@settings(max_examples=25)
@given(config=CONFIGS, seed=st.integers(0, 1000), minutes=st.sampled_from([0.02, 0.31, 1.0]))
def test_a_stream_is_whole_exact_and_unclipped(corpus: Corpus, config: StreamConfig, seed: int, minutes: float) -> None:
    stream = make_stream(corpus, "train", minutes, config, seed)
    assert stream.frames == round(minutes * 60 * 62.5)
    for part in (stream.clean, stream.noise, stream.noisy):
        assert part.dtype == np.int16
        assert part.shape == (stream.frames * HOP,)
    total = stream.clean.astype(np.int32) + stream.noise
    assert np.array_equal(total, stream.noisy)
    assert np.abs(total).max() < 32767
    assert np.abs(stream.noise.astype(np.int32)).max() < 32767
    assert sum(segment.hops for segment in stream.noises) == stream.frames
    assert (stream.noise_index() >= 0).all()
    silent = np.repeat(stream.speech_index() < 0, HOP)
    assert not stream.clean[silent].any()
    ends = [(segment.start, segment.start + segment.hops) for segment in stream.speech]
    assert all(stop < start for (_, stop), (start, _) in pairwise(ends))
    assert all(0 <= start < stop <= stream.frames for start, stop in ends)


@pytest.mark.parametrize(("low", "high"), [(-5.0, 15.0), (3.0, 3.0), (-15.0, -12.0)])
def test_snr_as_measured_lies_in_the_range_and_fills_it(corpus: Corpus, low: float, high: float) -> None:
    steady = Corpus(corpus.speech, tuple(r for r in corpus.noise if r.category != "Clatter"))
    stream = make_stream(steady, "train", 5, StreamConfig(snr_db=(low, high)))
    # Of the loud enough ones: rounding to int16 adds noise of its own.
    heard = [s.samples for s in stream.speech if np.abs(stream.noise[s.samples].astype(np.int32)).max() > 300]
    measured = [snr_db(stream.clean[samples], stream.noise[samples]) for samples in heard]
    assert len(measured) > 50
    assert low - 0.1 < min(measured) <= low + 0.1 * (high - low) + 0.1
    assert high - 0.1 * (high - low) - 0.1 <= max(measured) < high + 0.1


def test_snr_from_a_list(corpus: Corpus) -> None:
    stream = make_stream(corpus, "test", 5, StreamConfig(snr_values_db=(0.0, 10.0), level_dbfs=(-26.0, -26.0)))
    measured = {round(snr_db(stream.clean[s.samples], stream.noise[s.samples])) for s in stream.speech}
    assert measured == {0, 10}


def test_level_as_measured(corpus: Corpus) -> None:
    stream = make_stream(corpus, "test", 5, StreamConfig(level_dbfs=(-40.0, -30.0), snr_db=(5.0, 15.0)))
    measured = [20 * np.log10(active_rms(stream.clean[s.samples] / 32768)) for s in stream.speech]
    assert -40.1 < min(measured) < -39
    assert -31 < max(measured) < -29.9


def test_clean_is_the_recording_but_for_its_gain(corpus: Corpus) -> None:
    stream = make_stream(corpus, "validation", 1, StreamConfig(level_dbfs=(-26.0, -26.0)))
    for segment in stream.speech[:-1]:
        recorded = read_recording(segment.recording)
        placed = stream.clean[segment.samples]
        assert segment.hops == -(-len(recorded) // HOP)
        assert not placed[len(recorded) :].any()
        assert np.corrcoef(placed[: len(recorded)], recorded)[0, 1] > 0.9999


def test_of_a_long_recording_a_stretch_is_used(corpus: Corpus) -> None:
    stream = make_stream(corpus, "train", 1, StreamConfig(utterance_s=1.6, level_dbfs=(-26.0, -26.0)))
    assert max(segment.hops for segment in stream.speech) == 100
    for segment in stream.speech[:5]:
        recorded = read_recording(segment.recording)[segment.offset :][: 100 * HOP]
        assert np.corrcoef(stream.clean[segment.samples], recorded)[0, 1] > 0.9999
    assert len({segment.offset for segment in stream.speech}) > 5


def test_noise_is_level_under_speech_and_ramps_in_pauses(tmp_path: Path) -> None:
    """A square wave has its gain written on its face: constant under each utterance, without steps in the pauses."""
    write_pcm(tmp_path / "square.wav", np.where(np.arange(16_000) % 160 < 80, 8000, -8000).astype(np.int16))
    write_pcm(tmp_path / "speech.wav", speech_like(150))
    speech = Recording(tmp_path / "speech.wav", "anna", "CC0", fixed_split="train")
    square = Recording(tmp_path / "square.wav", "square", "CC0", category="Square", fixed_split="train")
    stream = make_stream(Corpus((speech,), (square,)), "train", 1)
    gain = np.abs(stream.noise.astype(np.int32))
    levels = [gain[segment.samples] for segment in stream.speech]
    assert all(level.min() == level.max() > 0 for level in levels)
    assert len({int(level[0]) for level in levels}) > 5
    assert np.abs(np.diff(gain)).max() <= np.ptp(gain) / (0.3 * 16_000) + 2


def test_the_silence_between_two_barks_is_not_turned_up(tmp_path: Path) -> None:
    """Else a bark in the next pause would have to be turned down, and the utterance with it, out of hearing."""
    rng = np.random.default_rng(2)
    barks = np.where(np.arange(40 * 16_000) % 160_000 < 8_000, 0.1, 1e-4) * rng.standard_normal(40 * 16_000)
    write_pcm(tmp_path / "barks.wav", to_pcm(barks))
    write_pcm(tmp_path / "speech.wav", speech_like(150))
    speech = Recording(tmp_path / "speech.wav", "anna", "CC0", fixed_split="train")
    dog = Recording(tmp_path / "barks.wav", "dog", "CC0", category="Dog", fixed_split="train")
    stream = make_stream(Corpus((speech,), (dog,)), "train", 3, StreamConfig(level_dbfs=(-20.0, -20.0)))
    levels = [20 * np.log10(active_rms(stream.clean[s.samples] / 32768)) for s in stream.speech]
    assert min(levels) > -50


def test_strata_share_the_stream_evenly(corpus: Corpus) -> None:
    stream = make_stream(corpus, "train", 10, StreamConfig(repeats=100))
    for quarter in np.array_split(np.arange(stream.frames), 4):
        categories, counts = np.unique(stream.noise_categories()[quarter], return_counts=True)
        assert set(categories) == set(NOISES)
        assert counts.min() / counts.sum() > 0.2
        accents, counts = np.unique(stream.accents()[quarter][stream.speech_index()[quarter] >= 0], return_counts=True)
        assert set(accents) == {accent for _, accent in VOICES}
        assert counts.min() / counts.sum() > 0.2


def test_splits_share_no_speaker_no_noise_and_no_draw(corpus: Corpus) -> None:
    streams = [make_stream(corpus, split, 2) for split in SPLITS]
    for index, split in enumerate(SPLITS):
        for other in streams[index + 1 :]:
            assert not {s.recording.group for s in streams[index].speech} & {s.recording.group for s in other.speech}
            assert not {s.recording.group for s in streams[index].noises} & {s.recording.group for s in other.noises}
        assert {s.recording.split for s in (*streams[index].speech, *streams[index].noises)} == {split}
    assert [s.start for s in streams[0].speech] != [s.start for s in streams[1].speech]


def test_the_same_arguments_give_the_same_stream(corpus: Corpus) -> None:
    first, second, other = (make_stream(corpus, "train", 0.5, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.noisy, second.noisy)
    assert np.array_equal(first.clean, second.clean)
    assert first.speech == second.speech
    assert not np.array_equal(first.noisy, other.noisy)


def test_metadata_of_each_frame_is_that_of_its_newer_hop(corpus: Corpus) -> None:
    stream = make_stream(corpus, "train", 1)
    segment = stream.speech[2]
    frames = slice(segment.start, segment.start + segment.hops)
    assert set(stream.speakers()[frames]) == {segment.recording.group}
    assert set(stream.genders()[frames]) == {segment.recording.gender}
    assert (stream.speech_index()[frames] == 2).all()
    assert stream.speakers()[frames.start - 1] == stream.speakers()[frames.stop] == ""
    second = stream.noises[1]
    assert list(stream.noise_index()[second.start - 1 : second.start + 1]) == [0, 1]
    assert stream.noise_categories()[second.start] == second.recording.category


def test_unknown_gender_and_accent_stay_as_they_are(corpus: Corpus) -> None:
    stream = make_stream(corpus, "train", 1)
    speaking = stream.speech_index() >= 0
    unknown = stream.genders() == "U"
    assert unknown.any()
    assert set(stream.accents()[unknown]) == {""}
    assert set(stream.genders()[speaking]) == {"F", "M", "U"}
    assert set(stream.genders()[~speaking]) == {""}


def test_digital_silence_is_neither_speech_nor_noise(corpus: Corpus, tmp_path: Path) -> None:
    write_pcm(tmp_path / "zeros.wav", np.zeros(40_000, np.int16))
    silent = Recording(tmp_path / "zeros.wav", "zeros", "CC0", category="None", fixed_split="train")
    with pytest.raises(ConfigError, match=r"zeros\.wav: holds no speech"):
        make_stream(Corpus((silent,), corpus.noise), "train", 0.2)
    with pytest.raises(ConfigError, match=r"zeros\.wav: holds no noise"):
        make_stream(Corpus(corpus.speech, (silent,)), "train", 0.2)


def test_a_stream_that_is_too_short_or_a_split_that_is_empty_is_an_error(corpus: Corpus) -> None:
    with pytest.raises(ConfigError, match="too short"):
        make_stream(corpus, "train", 0.01)
    only = Corpus(corpus.speech, tuple(r for r in corpus.noise if r.split == "train"))
    with pytest.raises(ConfigError, match="`test` holds no noise"):
        make_stream(only, "test", 1)


@pytest.mark.parametrize(
    "fields", [{"snr_db": (5.0, 0.0)}, {"pause_s": (-1.0, 0.0)}, {"noise_s": (0.0, 1.0)}, {"seed": 1}]
)
def test_impossible_settings_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StreamConfig.model_validate(fields)


def test_a_segment_names_its_samples() -> None:
    assert Segment(Recording(Path("x"), "x", "CC0"), 2, 3).samples == slice(512, 1280)
