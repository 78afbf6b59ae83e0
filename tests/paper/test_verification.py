# SPDX-License-Identifier: Apache-2.0
"""Speaker verification: rates, normalisation and trials whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyncp.base.errors import ProbeError
from dyncp.evaluation.paper.speakers import cosine_scores, speaker_rows
from dyncp.evaluation.paper.utterances import IMPOSTORS, Trials, Utterances, cut_utterances, make_trials
from dyncp.evaluation.paper.verification import equal_error_rate, fit_backend, unit_length, wccn
from dyncp.train.corpora.recordings import Recording
from dyncp.train.streams.streams import Segment, Stream

RNG = np.random.default_rng(3)


def test_separable_scores_have_no_errors_and_reversed_ones_only_errors() -> None:
    scores = np.array([0.9, 0.8, 0.2, 0.1, 0.0])
    targets = np.array([True, True, False, False, False])
    assert equal_error_rate(scores, targets) == 0
    assert equal_error_rate(-scores, targets) == 1


def test_equal_distributions_give_half() -> None:
    scores = np.tile(np.arange(10.0), 2)
    assert equal_error_rate(scores, np.repeat([True, False], 10)) == pytest.approx(0.5)


def test_equal_error_rate_by_hand() -> None:
    # Accepting ≥ 4: no impostor of four, one target of three missed. Accepting ≥ 3: one impostor of four, and the
    # same one missed. The line between (0, 1/3) and (1/4, 1/3) never falls below 1/3 − 1/4, so the crossing lies on
    # the next step, which lets a second impostor in: (1/2, 1/3) → at 1/3.
    scores = np.array([6, 5, 1, 3, 2, 0, -1])
    targets = np.array([1, 1, 1, 0, 0, 0, 0], dtype=bool)
    assert equal_error_rate(scores, targets) == pytest.approx(1 / 3)


def test_equal_error_rate_between_two_operating_points() -> None:
    # One tie of a target with an impostor: from (0, 1/2) to (1/2, 0) in one step, equal half way.
    assert equal_error_rate(np.array([2, 1, 1, 0]), np.array([True, True, False, False])) == pytest.approx(0.25)


@given(st.floats(0.1, 10), st.floats(-5, 5), st.integers(0, 1000))
def test_equal_error_rate_ignores_scale_and_offset(scale: float, offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, targets = rng.normal(size=40), np.arange(40) < 10
    assert equal_error_rate(scale * scores + offset, targets) == pytest.approx(equal_error_rate(scores, targets))


def correlated_speakers(speakers: int, each: int, features: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Within each speaker the same strongly correlated spread."""
    spread = RNG.normal(size=(features, features)) * np.array([10.0, 3.0, 1.0, 0.5, 0.1])[:features]
    labels = np.repeat(np.arange(speakers), each)
    return 4 * RNG.normal(size=(speakers, features))[labels] + RNG.normal(size=(len(labels), features)) @ spread, labels


def test_wccn_makes_the_within_class_covariance_the_identity() -> None:
    raw, labels = correlated_speakers(6, 50)
    white = raw @ wccn(raw, labels, shrinkage=0.0)
    within = white - np.stack([white[labels == label].mean(axis=0) for label in labels])
    assert within.T @ within / len(within) == pytest.approx(np.eye(5), abs=1e-8)


def test_wccn_survives_fewer_utterances_than_features() -> None:
    raw, labels = RNG.normal(size=(6, 40)), np.array([0, 0, 1, 1, 2, 2])
    assert np.isfinite(wccn(raw, labels)).all()


def test_backend_finds_the_direction_that_tells_speakers_apart() -> None:
    labels = np.repeat(np.arange(8), 30)
    raw = RNG.normal(size=(240, 6)) * np.array([50.0, 1, 1, 1, 1, 1])
    raw[:, 3] += 9 * labels
    backend = fit_backend(raw, labels, dimensions=1)
    direction = backend.projection[:, 0] / np.linalg.norm(backend.projection)
    assert abs(direction[3]) > 0.99
    embedded = backend.embed(raw)
    assert embedded.shape == (240, 1)
    assert np.linalg.norm(embedded, axis=1) == pytest.approx(1)


def test_backend_has_one_dimension_less_than_speakers_and_refuses_single_utterances() -> None:
    raw, labels = correlated_speakers(3, 20)
    assert fit_backend(raw, labels).embed(raw).shape == (60, 2)
    with pytest.raises(ProbeError, match="two utterances"):
        fit_backend(raw[:4], np.array([0, 1, 2, 2]))


def utterances(recordings_per_speaker: list[int], pieces: int = 2) -> Utterances:
    speakers, recordings = [], []
    for speaker, count in enumerate(recordings_per_speaker):
        for _ in range(count):
            recording = max(recordings, default=-1) + 1
            speakers += [speaker] * pieces
            recordings += [recording] * pieces
    frames = [np.arange(5 * i, 5 * i + 5) for i in range(len(speakers))]
    return Utterances(frames, np.array(speakers), np.array(recordings))


@pytest.mark.parametrize("enrolment", [1, 2, 3])
def test_trials_are_one_to_ten_and_never_within_a_recording(enrolment: int) -> None:
    found = utterances([1, 4, 3, 4])
    trials = make_trials(found, enrolment)
    assert trials.enrolled.shape == (len(trials.tested), enrolment)
    assert len(trials.targets) == (1 + IMPOSTORS) * trials.targets.sum()
    assert trials.targets.sum() == 22
    same_speaker = found.speakers[trials.enrolled] == found.speakers[trials.tested][:, None]
    assert (same_speaker == trials.targets[:, None]).all()
    assert not (found.recordings[trials.enrolled] == found.recordings[trials.tested][:, None]).any()
    assert all(len(set(row)) == enrolment for row in trials.enrolled.tolist())


def test_a_speaker_of_one_recording_is_an_impostor_only() -> None:
    found = utterances([1, 2])
    assert found.enrollable().tolist() == [1]
    trials = make_trials(found, 1)
    assert set(found.speakers[trials.tested]) == {1}
    assert set(found.speakers[trials.enrolled[~trials.targets]].ravel()) == {0}


def test_long_speech_is_cut_and_stretches_without_voice_are_dropped() -> None:
    frames = 600
    recording = Recording(Path("a.wav"), "anna", "CC0")
    silence = np.zeros(frames * 256, np.int16)
    segments = (Segment(recording, 10, 375), Segment(recording, 400, 100))
    voiced = np.zeros(frames, dtype=np.bool_)
    voiced[10:385:2] = True
    found = cut_utterances(Stream(silence, silence, silence, segments, ()), voiced)
    # 6 s make two pieces of 3 s; the second segment is never voiced.
    assert [len(piece) for piece in found.frames] == [94, 94]
    assert np.concatenate(found.frames).tolist() == list(range(10, 385, 2))
    assert found.embed(np.arange(frames)[:, None])[0, 0] == pytest.approx(103)


def test_cosine_of_the_mean_of_the_enrolled() -> None:
    embedded = unit_length(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [0.0, 0.0]]))
    assert embedded[3].tolist() == [0, 0]
    trials = Trials(np.array([[0, 1], [0, 0]]), np.array([2, 1]), np.array([True, False]))
    assert cosine_scores(embedded, trials) == pytest.approx([1.0, 0.0])


def test_voices_that_differ_verify_and_equal_ones_are_left_to_chance() -> None:
    train, test = utterances([4] * 6), utterances([4] * 5)
    voice = RNG.normal(size=(11, 12))

    def values(found: Utterances, first: int) -> np.ndarray:
        made = 0.3 * RNG.normal(size=(5 * len(found.speakers), 12))
        return made + voice[first + np.repeat(found.speakers, 5)]

    noise_train, noise_test = RNG.normal(size=(5 * 48, 12)), RNG.normal(size=(5 * 40, 12))
    features = [("masks", values(train, 0), values(test, 6)), ("spectrum", noise_train, noise_test)]
    rates = {(row.features, row.backend, row.enrolment): row.eer for row in speaker_rows(train, test, features)}
    assert len(rates) == 12
    assert rates["masks", "cosine of raw means", 3] == pytest.approx(0, abs=0.02)
    assert all(0.3 < rate < 0.7 for (name, *_), rate in rates.items() if name == "spectrum" and rate is not None)


def test_a_single_test_speaker_gives_reasons_instead_of_rates() -> None:
    train, test = utterances([3, 3]), utterances([3])
    rows = speaker_rows(train, test, [("masks", RNG.random((60, 4)) < 0.5, RNG.random((30, 4)) < 0.5)])
    assert [row.eer for row in rows] == [None] * 6
    assert all("two test speakers" in row.reason for row in rows)
