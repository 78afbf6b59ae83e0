# SPDX-License-Identifier: Apache-2.0
"""Streams built by hand, so that every label is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from signals import HOP, Pcm, speech_like

from dyncp.base.audio import write_pcm
from dyncp.train.corpora.recordings import Recording
from dyncp.train.streams.streams import Segment, Stream
from dyncp.train.targets.standard_tasks import Classes

CLASSES = Classes(genders=("F", "M"), accents=("Scottish", "Welsh"), categories=("Office", "Street"))


def voice(name: str, gender: str = "F", accent: str = "Welsh") -> Recording:
    return Recording(Path("speech") / name, name, "CC0", gender=gender, accent=accent)


def background(name: str, category: str = "Street") -> Recording:
    return Recording(Path("noise") / name, name, "CC0", category=category)


def stream_of(
    clean: Pcm, noise: Pcm, speech: Sequence[Segment] | None = None, noises: Sequence[Segment] | None = None
) -> Stream:
    """One utterance and one noise throughout, where nothing else is said."""
    hops = len(clean) // HOP
    return Stream(
        clean,
        noise,
        clean + noise,
        (Segment(voice("a.wav"), 0, hops),) if speech is None else tuple(speech),
        (Segment(background("b.wav"), 0, hops),) if noises is None else tuple(noises),
    )


def hiss(frames: int, rms: float, seed: int = 0) -> Pcm:
    """White noise of an RMS in int16 steps."""
    return np.round(rms * np.random.default_rng(seed).standard_normal(frames * HOP)).astype(np.int16)


def talk_in_hiss(seconds: int = 12) -> Stream:
    """Two utterances of different people with a long pause between, in two noises."""
    hops = seconds * 16000 // HOP
    third = hops // 3
    clean = speech_like(hops)
    clean[third * HOP : 2 * third * HOP] = 0
    speech = [Segment(voice("a.wav", "F", "Welsh"), 0, third)]
    speech.append(Segment(voice("b.wav", "M", "Cornish"), 2 * third, hops - 2 * third))
    noises = [Segment(background("c.wav", "Office"), 0, 100), Segment(background("d.wav"), 100, hops - 100)]
    return stream_of(clean, hiss(hops, 150), speech, noises)


def write_recordings(folder: Path, stream: Stream) -> Stream:
    """The same stream with its recordings written as files into `folder`."""

    def written(segment: Segment, signal: Pcm) -> Segment:
        path = folder / segment.recording.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_pcm(path, signal[segment.samples])
        moved = Recording(path, segment.recording.group, "CC0")
        return Segment(moved, segment.start, segment.hops, segment.offset)

    speech = tuple(written(segment, stream.clean) for segment in stream.speech)
    noises = tuple(written(segment, stream.noise) for segment in stream.noises)
    return Stream(stream.clean, stream.noise, stream.noisy, speech, noises)
