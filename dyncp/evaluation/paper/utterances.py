# SPDX-License-Identifier: Apache-2.0
"""Utterance embeddings and verification trials of Fig. 6: which stretches are compared with which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.train.streams.streams import Stream

PIECE_FRAMES = round(3.0 * SAMPLE_RATE / HOP)
# Of voiced frames in a piece; less says too little of a voice.
SHORTEST_FRAMES = round(0.75 * SAMPLE_RATE / HOP)
IMPOSTORS = 10


@dataclass(frozen=True)
class Utterances:
    """n stretches of about 3 s in which one speaker speaks; `frames[i]` holds the voiced frames of the i-th."""

    frames: list[NDArray[np.intp]]
    speakers: NDArray[np.intp]
    """Index of the speaker, in the order of their names, [n]."""
    recordings: NDArray[np.intp]
    """Index of the recording that it was cut from, [n]."""

    def embed(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of values [T, F] over each utterance's voiced frames, [n, F]."""
        return np.array([values[frames].mean(axis=0, dtype=np.float64) for frames in self.frames])

    def enrollable(self) -> NDArray[np.intp]:
        """Speakers with utterances of two recordings or more: those who can be both enrolled and tested."""
        several = [s for s in np.unique(self.speakers) if len(np.unique(self.recordings[self.speakers == s])) > 1]
        return np.array(several, dtype=np.intp)


@dataclass(frozen=True)
class Trials:
    """m comparisons: utterances `enrolled` [m, k] of one speaker with the utterance `tested` [m]."""

    enrolled: NDArray[np.intp]
    tested: NDArray[np.intp]
    targets: NDArray[np.bool_]


def cut_utterances(stream: Stream, voiced: NDArray[np.bool_]) -> Utterances:
    """The speech segments in pieces of equal length of about 3 s; pieces with less than 0.75 s of voice are dropped."""
    names = sorted({segment.recording.group for segment in stream.speech})
    files = sorted({segment.recording.path for segment in stream.speech})
    frames, speakers, recordings = [], [], []
    for segment in stream.speech:
        whole = np.arange(segment.start, min(segment.start + segment.hops, len(voiced)))
        for piece in np.array_split(whole, max(1, round(len(whole) / PIECE_FRAMES))):
            heard = piece[voiced[piece]]
            if len(heard) >= SHORTEST_FRAMES:
                frames.append(heard)
                speakers.append(names.index(segment.recording.group))
                recordings.append(files.index(segment.recording.path))
    return Utterances(frames, np.array(speakers, dtype=np.intp), np.array(recordings, dtype=np.intp))


def make_trials(utterances: Utterances, enrolment: int, seed: int = 0) -> Trials:
    """Each utterance of an enrollable speaker against that speaker, and against ten draws of other speakers.

    The `enrolment` utterances come from other recordings than the tested one, so that a repeated sentence or a noise
    that runs on does not give the speaker away. Without a repeated draw in one enrolment; speakers with too few
    utterances for it are not enrolled. May be empty.
    """
    rng = np.random.default_rng((seed, enrolment))
    pools = {s: np.flatnonzero(utterances.speakers == s) for s in np.unique(utterances.speakers)}
    enrolled, tested, targets = [], [], []
    for test in np.flatnonzero(np.isin(utterances.speakers, utterances.enrollable())):
        speaker = utterances.speakers[test]
        own = pools[speaker][utterances.recordings[pools[speaker]] != utterances.recordings[test]]
        others = [s for s, pool in pools.items() if s != speaker and len(pool) >= enrolment]
        if len(own) < enrolment or not others:
            continue
        impostors = rng.choice(others, IMPOSTORS, replace=len(others) < IMPOSTORS)
        for pool in (own, *(pools[impostor] for impostor in impostors)):
            enrolled.append(rng.choice(pool, enrolment, replace=False))
            tested.append(test)
        targets += [True] + [False] * IMPOSTORS
    shaped = np.array(enrolled, dtype=np.intp).reshape(len(tested), enrolment)
    return Trials(shaped, np.array(tested, dtype=np.intp), np.array(targets, dtype=np.bool_))
