# SPDX-License-Identifier: Apache-2.0
"""The audio of `dyncp demo` and of the benchmarks: two speakers in two noises, for as long as wanted."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from dyncp.base.audio import Pcm, active_rms, to_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.train.corpora.audible import NOISE, SPEECH, Sound
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import Recording
from dyncp.train.corpora.sources import read_signals
from dyncp.train.streams.streams import Segment, Stream

SECONDS = 12.0
SNR_DB = 5.0
PAUSE_S = 1.0


def noisy_speech(corpus: Path, seconds: float) -> Stream:
    """Two unseen speakers in turn, a pause between and around them, in two noises in turn, at 5 dB SNR."""
    test = load_corpus(corpus).split("test")
    hops, pause = round(seconds * SAMPLE_RATE / HOP), round(PAUSE_S * SAMPLE_RATE / HOP)
    clean, noise = np.zeros((2, hops * HOP), np.int16)
    speech, noises = [], []
    voices, backgrounds = _two(test.speech, SPEECH), _two(test.noise, NOISE)
    turns = zip((0, hops // 2), (hops // 2, hops), voices, backgrounds, strict=True)
    for start, stop, (voice, utterance), (background, recorded) in turns:
        spoken = utterance[: (stop - start - 2 * pause) * HOP]
        speech.append(Segment(voice, start + pause, -(-len(spoken) // HOP)))
        noises.append(Segment(background, start, stop - start))
        clean[speech[-1].start * HOP :][: len(spoken)] = spoken
        turn = noises[-1].samples
        level = active_rms(clean[turn] / 32768) * 10 ** (-SNR_DB / 20)
        sound = np.resize(recorded / 32768, turn.stop - turn.start)
        noise[turn] = to_pcm(sound * level / np.sqrt(np.mean(sound**2)))
    noisy = np.clip(clean.astype(np.int32) + noise, -32768, 32767).astype(np.int16)
    return Stream(clean, noisy - clean, noisy, tuple(speech), tuple(noises))


def _two(recordings: Iterable[Recording], sound: Sound) -> list[tuple[Recording, Pcm]]:
    """The first two that hold what they should; a corpus of one has it twice."""
    signals = read_signals(islice(recordings, 16), sound)
    return list(islice(cycle(zip(signals.recordings, signals, strict=True)), 2))
