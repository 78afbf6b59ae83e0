# SPDX-License-Identifier: Apache-2.0
"""Voice activity detectors of others, on real voices in silence: they speak up where they should, in our frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyncp.base.config.framing import HOP
from dyncp.evaluation.rivals.costs import silero_macs, webrtc_multiplications
from dyncp.evaluation.rivals.rivals import best_delay
from dyncp.evaluation.rivals.voice_activity import above_floor_db, best_threshold, held, silero, webrtc
from dyncp.train.corpora.demo_corpus import read_voice

QUIET = 125
"""Frames of digital silence before and after the voice: two seconds."""


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """Two seconds of digital silence, six of a voice, two of silence."""
    speech = np.concatenate(read_voice("it_IT_m_Carlo", 10))[: 375 * HOP]
    return np.pad(speech, QUIET * HOP)


@given(st.sampled_from([160, 320, 480, 512]), st.integers(1, 200))
def test_held_answers_are_the_latest_of_windows_that_have_ended(window: int, frames: int) -> None:
    windows = max(1, frames * HOP // window)
    shown = held(np.arange(windows, dtype=np.float64), window, frames)
    for t, index in enumerate(shown):
        end, now = (index + 1) * window, (t + 1) * HOP
        assert (end <= now and now - end < window) or (index == 0 and now < window)


def test_silero_windows_that_match_our_frames_are_not_late() -> None:
    # Window i covers the hops 2i and 2i + 1, which is our frame 2i + 1; frame 2i + 2 still hears of it.
    assert held(np.arange(3.0), 512, 6).tolist() == [0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_webrtc_hears_the_voice_and_not_the_silence(voice: np.ndarray, mode: int) -> None:
    decided = webrtc(voice, mode)
    assert set(decided) == {-1.0, 1.0}
    assert (decided[:QUIET] == -1).all()
    assert (decided[QUIET:-QUIET] == 1).mean() > 0.7
    assert (decided[-QUIET + 30 :] == -1).all()


def test_silero_hears_the_voice_and_not_the_silence(voice: np.ndarray) -> None:
    probability = silero(voice)
    assert probability[:QUIET].max() < 0.1
    assert (probability[QUIET:-QUIET] > 0.5).mean() > 0.7
    assert probability[-QUIET + 30 :].max() < 0.1


def test_level_is_measured_above_the_quietest_past() -> None:
    rng = np.random.default_rng(0)
    noise = np.round(100 * rng.standard_normal(400 * HOP)).astype(np.int16)
    noise[200 * HOP : 220 * HOP] *= 10
    above = above_floor_db(noise)
    assert above[:199].max() < 3
    # Ten times the amplitude, and a floor that may hang a little below the mean level.
    assert above[202:218] == pytest.approx(20, abs=2)
    assert above[222:].max() < 3


def test_the_threshold_between_two_groups_separates_them() -> None:
    values, speech = np.array([0.1, 0.2, 0.3, 0.7, 0.8]), np.array([0, 0, 0, 1, 1], np.bool_)
    assert ((values > best_threshold(values, speech)) == speech).all()


def test_the_best_delay_is_the_planted_one() -> None:
    truth = np.repeat(np.random.default_rng(3).random(60) < 0.5, 25)
    words = np.roll(truth.astype(np.float64), 7) + 0.3 * np.random.default_rng(4).standard_normal(len(truth))
    assert best_delay(words, truth, np.ones(len(truth), np.bool_)) == 7


def test_silero_costs_what_its_layers_multiply() -> None:
    # Per window of 512: a transform as a convolution, four convolutions of the encoder, an LSTM of 128, an output.
    transform = 5 * 258 * 256
    encoder = 4 * 129 * 128 * 3 + 2 * 128 * 64 * 3 + 64 * 64 * 3 + 64 * 128 * 3
    lstm = 4 * 128 * (128 + 128)
    assert silero_macs() == (transform + encoder + lstm + 128) / 2


def test_webrtc_is_some_thousand_multiplications() -> None:
    # 512 to decimate, 608 in five band splits, 40 in the high-pass, 128 squares, 264 per 30 ms in the Gaussians.
    assert webrtc_multiplications() == pytest.approx(512 + 608 + 40 + 128 + 264 * 16 / 30)
