# SPDX-License-Identifier: Apache-2.0
"""The day: its shares, levels and conditions are those of its recipe, and a seed and a corpus are its audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from signals import HOP
from sounds import small_corpus

from dyncp.base.audio import active_rms
from dyncp.base.config.experiment import load_config
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import Corpus
from dyncp.train.day.day import Day, make_day
from dyncp.train.day.recipe import CONDITIONS, DayConfig, Levels, Shares, load_day
from dyncp.train.day.talk import Turns

MINUTES = 6.0


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return load_corpus(small_corpus(tmp_path_factory.mktemp("day") / "corpus", frames=600))


@pytest.fixture(scope="module")
def day(corpus: Corpus) -> Day:
    return make_day(corpus, "test", MINUTES)


def test_a_seed_and_a_corpus_are_the_same_audio(corpus: Corpus) -> None:
    first, again, other = (make_day(corpus, "test", 1.0, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.stream.noisy, again.stream.noisy)
    assert np.array_equal(first.condition, again.condition)
    assert first.stretches == again.stretches
    assert not np.array_equal(first.stream.noisy, other.stream.noisy)


def test_the_shares_are_the_recipes(day: Day) -> None:
    shares, wanted = day.shares, load_day().shares
    frame = 1 / day.stream.frames
    assert shares["noise"] == pytest.approx(wanted.noise, abs=frame)
    assert shares["quiet"] == pytest.approx(wanted.quiet, abs=frame)
    assert shares["silence"] == pytest.approx(wanted.silence, abs=frame)
    assert shares["speech"] + shares["pause"] == pytest.approx(wanted.conversation, abs=frame)


def test_parts_add_up_and_conditions_hold_what_they_say(day: Day) -> None:
    stream = day.stream
    assert np.array_equal(stream.noisy, stream.clean.astype(np.int32) + stream.noise)
    clean, noise = (pcm.reshape(-1, HOP) for pcm in (stream.clean, stream.noise))
    speech = day.condition == CONDITIONS.index("speech")
    assert not clean[~speech].any()
    assert clean[speech].any(axis=1).mean() > 0.99
    assert not noise[day.condition == CONDITIONS.index("silence")].any()
    assert np.array_equal(stream.speech_index() >= 0, speech)
    covered = np.concatenate([np.arange(s.start, s.start + s.hops) for s in day.stretches])
    assert np.array_equal(covered, np.arange(stream.frames))


def test_snr_is_as_told_and_spread_over_the_range(day: Day) -> None:
    talks = [stretch for stretch in day.stretches if stretch.kind == "conversation"]
    for stretch in talks:
        clean, noise = (pcm[stretch.samples].astype(np.float64) for pcm in (day.stream.clean, day.stream.noise))
        assert stretch.snr_db is not None
        # At 40 dB the noise is a few steps of int16, and rounding adds to it.
        measured = 10 * np.log10(active_rms(clean) ** 2 / (np.mean(noise**2) - 1 / 12))
        assert measured == pytest.approx(stretch.snr_db, abs=0.7)
    low, high = load_day().levels.snr_db
    parts = sorted(int((s.snr_db - low) / (high - low) * len(talks)) for s in talks if s.snr_db is not None)
    assert parts == list(range(len(talks)))
    assert {s.snr_db for s in day.stretches if s.kind != "conversation"} == {None}


def test_a_quiet_room_is_some_steps_of_int16(day: Day) -> None:
    low, high = load_day().levels.quiet_lsb
    for stretch in day.stretches:
        if stretch.kind == "quiet":
            rms = float(np.sqrt(np.mean(np.square(day.stream.noisy[stretch.samples].astype(np.float64)))))
            # Rounding takes from noise of half a step and adds 1/12 of a step squared to all.
            assert 0.5 * low < rms < high + 0.1


def test_spurts_and_pauses_last_as_p59_says(corpus: Corpus) -> None:
    talk = DayConfig(shares=Shares(conversation=1, noise=0, quiet=0, silence=0), stretch_s=300)
    day = make_day(corpus, "train", 15.0, talk)
    spurts = _durations_s(day.condition == CONDITIONS.index("speech"))
    pauses = _durations_s(day.condition == CONDITIONS.index("pause"))
    # Some 350 of each: the standard error of an exponential mean is 5 %.
    assert np.mean(spurts) == pytest.approx(1.004, rel=0.15)
    assert np.mean(pauses) == pytest.approx(1.587, rel=0.15)
    assert day.shares["speech"] == pytest.approx(0.39, abs=0.04)


def _durations_s(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[float]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [float(length) * HOP / 16_000 for length in np.diff(edges.reshape(-1, 2), axis=1)[:, 0]]


def test_too_short_a_day_is_refused(corpus: Corpus) -> None:
    with pytest.raises(ConfigError, match="too few situations"):
        make_day(corpus, "test", 0.2)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Shares(conversation=0.5, noise=0.2, quiet=0.2, silence=0.2), "must add up to 1, not to 1.1"),
        (lambda: Turns(spurt_s=0.1), "spurt_s: must exceed shortest_s"),
        (lambda: Levels(snr_db=(40, -5)), "snr_db: must rise"),
        (lambda: Levels(quiet_lsb=(0, 8)), "quiet_lsb: must rise within 0.1"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(ValidationError, match=complaint):
        make()


def test_a_recipe_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "shift.toml"
    path.write_text("stretch_s = 5\n[shares]\nconversation = 0.1\nnoise = 0.9\nquiet = 0\nsilence = 0\n")
    assert load_day(path).shares.noise == 0.9
    path.write_text("[shares]\nshouting = 1\n")
    with pytest.raises(ConfigError, match=r"shift\.toml: shares\.shouting"):
        load_day(path)


def test_the_recipe_is_no_preset_of_a_network() -> None:
    with pytest.raises(ConfigError, match="presets are day100, day70, delay16, delay32, delay4, delay8, ears"):
        load_config("nothing")
