# SPDX-License-Identifier: Apache-2.0
"""Pitch labels on harmonic tones whose pitch is known at every sample."""

from __future__ import annotations

import numpy as np
import pytest
from constructed import voice
from signals import HOP

from dyncp.base.audio import to_pcm
from dyncp.train.pieces import Work
from dyncp.train.streams.streams import Segment
from dyncp.train.targets.pitch import pitch_hz, stream_pitch

FRAMES = 250
HERE = Work(n_jobs=1, progress=False)


def harmonic(hertz: np.ndarray) -> np.ndarray:
    """Twenty harmonics of a pitch given for each sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / 16000
    return 0.05 * sum(np.cos(k * phase) / k for k in range(1, 21))


@pytest.mark.parametrize("hertz", [90.0, 142.5, 230.0, 400.0])
def test_a_steady_tone(hertz: float) -> None:
    labels = pitch_hz(harmonic(np.full(FRAMES * HOP, hertz)))
    assert labels.shape == (FRAMES,)
    assert labels[5:-5] == pytest.approx(hertz, rel=0.01)


def test_a_sweep_shows_that_labels_belong_to_the_centre_of_the_window() -> None:
    # An octave in 1.5 s and back: one hop is 0.7 %, so that a label one frame early or late is off by more than half.
    octaves = np.abs((np.arange(FRAMES * HOP) / 24000) % 2 - 1)
    hertz = 120 * 2**octaves
    labels = pitch_hz(harmonic(hertz))
    rising = np.r_[100:180]
    error = np.log2(labels[rising] / hertz[rising * HOP])
    slope = np.gradient(octaves[::HOP])[rising]
    assert np.abs(2**error - 1).max() < 0.01
    assert abs(np.median(error / slope)) < 0.2


def test_silence_and_hiss_have_no_pitch() -> None:
    assert np.isnan(pitch_hz(np.zeros(FRAMES * HOP))).all()
    assert np.isnan(pitch_hz(np.zeros(HOP))).all()
    assert np.isnan(pitch_hz(0.1 * np.random.default_rng(0).standard_normal(FRAMES * HOP))).mean() > 0.7


def test_segments_are_placed_where_they_lie() -> None:
    clean = np.zeros(300 * HOP, np.int16)
    segments = [Segment(voice("a.wav"), 20, 100), Segment(voice("b.wav"), 150, 120)]
    for segment, hertz in zip(segments, (110.0, 220.0), strict=True):
        clean[segment.samples] = to_pcm(harmonic(np.full(segment.hops * HOP, hertz)))
    labels = stream_pitch(clean, segments, 300, HERE)
    assert labels[25:115] == pytest.approx(110, rel=0.01)
    assert labels[155:265] == pytest.approx(220, rel=0.01)
    assert np.isnan(labels[np.r_[0:20, 120:150, 270:300]]).all()
