# SPDX-License-Identifier: Apache-2.0
"""Labels of a whole stream: names, types, and values that the construction gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from constructed import CLASSES, background, hiss, stream_of, talk_in_hiss, voice
from librosa.feature import rms
from signals import HOP, speech_like

from dyncp.base.errors import AudioError, ConfigError
from dyncp.train.streams.streams import Segment, Stream
from dyncp.train.targets.frames import window_rms
from dyncp.train.targets.labels import make_labels
from dyncp.train.targets.standard_tasks import STANDARD_NAMES


def labels_of(stream: Stream, *wanted: str, output: np.ndarray | None = None) -> dict[str, np.ndarray]:
    return make_labels(stream, stream.noisy if output is None else output, CLASSES, wanted, n_jobs=1, progress=False)


def tone(frames: int, amplitude: float) -> np.ndarray:
    """Whole periods in each hop, so that every window has the same RMS."""
    return np.round(amplitude * np.sin(2 * np.pi * 8 * np.arange(frames * HOP) / HOP)).astype(np.int16)


def test_every_label_has_one_value_per_frame() -> None:
    stream = talk_in_hiss(5)
    labels = labels_of(stream, *STANDARD_NAMES)
    assert list(labels) == list(STANDARD_NAMES)
    for name, values in labels.items():
        assert values.shape == (stream.frames,)
        wanted = np.int16 if name in ("vad", "gender", "accent", "noise") else np.float32
        assert values.dtype == wanted
    assert (labels["si_sdr"] == labels["si_sdr_out"])[~np.isnan(labels["si_sdr"])].all()


def test_classes_change_with_the_segments() -> None:
    stream = talk_in_hiss()
    labels = labels_of(stream, "gender", "accent", "noise")
    edges = {name: np.flatnonzero(np.diff(values)) + 1 for name, values in labels.items()}
    first, second = stream.speech
    assert edges["gender"].tolist() == [first.hops, second.start]
    assert labels["gender"][[0, first.hops, second.start]].tolist() == [0, -1, 1]
    # Cornish is none of the classes.
    assert labels["accent"][[0, first.hops, second.start]].tolist() == [1, -1, -1]
    assert edges["noise"].tolist() == [100]
    assert labels["noise"][[0, 100]].tolist() == [0, 1]


def test_voice_activity_of_a_quiet_utterance_after_a_loud_one() -> None:
    clean = np.zeros(400 * HOP, np.int16)
    loud, quiet = Segment(voice("a.wav"), 50, 100), Segment(voice("b.wav"), 250, 100)
    clean[loud.samples] = tone(100, 16000)
    # 50 dB below: a threshold over the whole stream would miss it.
    clean[quiet.samples] = tone(100, 50)
    activity = labels_of(stream_of(clean, hiss(400, 10), [loud, quiet]), "vad")["vad"]
    assert activity[50:150].all()
    assert activity[250:350].all()
    assert not activity[np.r_[0:50, 150:250, 350:400]].any()


@pytest.mark.parametrize("snr", [-20.0, 0.0, 12.0])
def test_input_snr_of_scaled_noise(snr: float) -> None:
    clean, noise = tone(100, 1000), tone(100, 1000 * 10 ** (-snr / 20))
    assert labels_of(stream_of(clean, noise), "snr_in")["snr_in"] == pytest.approx(snr, abs=0.03)


def test_enhanced_snr_counts_noise_left_over_and_speech_lost() -> None:
    clean, noise = tone(100, 5000), np.roll(tone(100, 5000), 8)
    stream = stream_of(clean, noise)
    tenth = (clean + noise // 10).astype(np.int16)
    assert labels_of(stream, "snr_out", output=tenth)["snr_out"] == pytest.approx(20, abs=0.05)
    assert labels_of(stream, "snr_out", output=clean // 2)["snr_out"] == pytest.approx(6.02, abs=0.01)
    assert (labels_of(stream, "snr_out", output=clean)["snr_out"] == 30).all()
    silent = replace(stream, clean=np.zeros_like(clean))
    assert (labels_of(silent, "snr_out", output=noise)["snr_out"] == -50).all()


def test_residual_does_not_wrap() -> None:
    clean = np.full(20 * HOP, 30000, np.int16)
    stream = Stream(clean, 0 * clean, clean, (), (Segment(background("b.wav"), 0, 20),))
    snr = labels_of(stream, "snr_out", output=-clean)["snr_out"]
    assert snr == pytest.approx(-6.02, abs=0.01)


def test_rms_is_that_of_librosa_with_frame_t_on_the_hops_before_and_at_t() -> None:
    signal = speech_like(40) / 32768
    own = [np.sqrt(np.mean(np.pad(signal, (HOP, 0))[t * HOP : t * HOP + 512] ** 2)) for t in range(40)]
    assert np.allclose(window_rms(signal), own, rtol=1e-12)
    assert np.allclose(rms(y=signal, frame_length=512, hop_length=HOP, center=False)[0], own[1:], rtol=1e-5)


def test_wrong_requests_are_named() -> None:
    stream = stream_of(tone(100, 5000), hiss(100, 50))
    with pytest.raises(ConfigError, match=r"'mood'.*vad, gender"):
        labels_of(stream, "mood")
    with pytest.raises(AudioError, match="enhanced output"):
        labels_of(stream, "vad", output=stream.noisy[HOP:])
