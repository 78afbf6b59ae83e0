# SPDX-License-Identifier: Apache-2.0
"""Smoothing, votes, past masks, late answers and priors on inputs whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyncp.base.tasks import VOICE_ACTIVITY, classes_task
from dyncp.evaluation.context.temporal import flips, late, majority, one_pole, with_past, without_priors

THREE = classes_task("noise", ["a", "b", "c"], "all")


def test_one_pole_answers_a_step_by_halving_what_is_missing() -> None:
    assert one_pole(np.ones((4, 1)), 1)[:, 0].tolist() == [0.5, 0.75, 0.875, 0.9375]


@given(st.lists(st.integers(-(2**15), 2**15), min_size=1, max_size=60), st.integers(1, 5))
def test_one_pole_is_the_devices_recursion_up_to_rounding(words: list[int], k: int) -> None:
    state, integer = 0, []
    for word in words:
        state += (word * 256 - state) >> k
        integer.append((state + 128) >> 8)
    smooth = one_pole(np.array(words, np.float64)[:, None], k)[:, 0]
    # Each shift loses less than 1/256, of which the recursion keeps 2ᵏ at most; the last rounding loses a half.
    assert np.abs(smooth - integer).max() <= 0.5 + 2**k / 256


def test_majority_outvotes_a_single_frame_and_follows_a_lasting_change() -> None:
    words = np.array([-1, -1, 5, -1, -1, 2, 2, 2], np.float64)[:, None]
    assert (majority(words, VOICE_ACTIVITY, 3)[:, 0] > 0).tolist() == [False] * 6 + [True, True]


def test_majority_counts_the_votes_of_each_class() -> None:
    words = np.eye(3)[[0, 2, 2, 1, 2]]
    votes = majority(words, THREE, 3)
    assert votes[4].tolist() == [0, 1, 2]
    # A tie of all three at frame 0 to 2 … 1: the first of those with the most votes.
    assert votes.argmax(axis=1).tolist() == [0, 0, 2, 2, 2]


@given(st.integers(1, 30), st.sampled_from([3, 5, 9]))
def test_majority_looks_back_n_frames_only(frames: int, n: int) -> None:
    words = np.random.default_rng(frames).normal(size=(frames, 3))
    decided = words.argmax(axis=1)
    for t, votes in enumerate(majority(words, THREE, n)):
        assert votes.tolist() == np.bincount(decided[max(0, t - n + 1) : t + 1], minlength=3).tolist()


def test_past_masks_stand_beside_the_frame_that_they_precede() -> None:
    masks = np.random.default_rng(0).random((20, 3)) < 0.5
    wide = with_past(masks, (4, 16), np.array([0, 2]))
    assert wide.shape == (20, 7)
    assert (wide[:, :3] == masks).all()
    assert (wide[4:, 3:5] == masks[:-4, [0, 2]]).all()
    assert (wide[16:, 5:] == masks[:-16, [0, 2]]).all()
    assert not wide[:4, 3:5].any()


def test_late_answers_are_about_the_past_and_never_about_the_end_of_the_stream() -> None:
    labels, used = late(np.arange(10), np.ones(10, np.bool_), 4)
    assert labels[4:].tolist() == list(range(6))
    assert used.tolist() == [False] * 4 + [True] * 6


def test_priors_are_taken_out_of_words() -> None:
    labels = np.repeat([0, 1, 2, -1], [60, 30, 10, 50])
    prior = np.log([[0.6, 0.3, 0.1]])
    assert without_priors(prior, labels, labels >= 0, THREE) == pytest.approx(np.zeros((1, 3)))
    speech = np.repeat([0, 1], [20, 80])
    assert without_priors(np.array([[np.log(4)]]), speech, speech >= 0, VOICE_ACTIVITY) == pytest.approx(0)


def test_flips_are_counted_per_frame() -> None:
    assert flips(np.array([[0, 0], [1, 0], [1, 1], [0, 0]], np.bool_)) == pytest.approx(4 / 3)


def test_one_pole_smooths_each_output_by_itself() -> None:
    words = np.random.default_rng(1).normal(size=(50, 2))
    assert (one_pole(words, 3)[:, 1] == one_pole(words[:, 1:], 3)[:, 0]).all()
