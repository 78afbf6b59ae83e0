# SPDX-License-Identifier: Apache-2.0
"""The audio of `dyncp demo` and of the benchmarks: two speakers in two noises, for as long as wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dyncp.base.audio import active_rms, to_pcm
from dyncp.base.config import HOP, SAMPLE_RATE
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.recordings import read_recording
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
    for start, stop, voice, background in zip((0, hops // 2), (hops // 2, hops), test.speech, test.noise, strict=False):
        spoken = read_recording(voice)[: (stop - start - 2 * pause) * HOP]
        speech.append(Segment(voice, start + pause, -(-len(spoken) // HOP)))
        noises.append(Segment(background, start, stop - start))
        clean[speech[-1].start * HOP :][: len(spoken)] = spoken
        turn = noises[-1].samples
        level = active_rms(clean[turn] / 32768) * 10 ** (-SNR_DB / 20)
        sound = np.resize(read_recording(background) / 32768, turn.stop - turn.start)
        noise[turn] = to_pcm(sound * level / np.sqrt(np.mean(sound**2)))
    noisy = np.clip(clean.astype(np.int32) + noise, -32768, 32767).astype(np.int16)
    return Stream(clean, noisy - clean, noisy, tuple(speech), tuple(noises))
