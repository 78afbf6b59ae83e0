# SPDX-License-Identifier: Apache-2.0
"""The recordings that clips and streams are drawn from: those that hold what they are said to hold, and their samples.

What does not is left out, counted and named: silent, tiny and empty files, and files that are no audio. Recordings of
files are held in memory; those of shards are read as needed, and were sorted out when the shards were made.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import overload

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.errors import AudioError, ConfigError, NoAudioError
from dyncp.train.corpora.audible import NOISE, SPEECH, Audible, Sound
from dyncp.train.corpora.files.listing import holds_no_audio
from dyncp.train.corpora.recordings import Corpus, Recording, read_recording
from dyncp.train.corpora.shards import shard_audible

# Names that a message holds; `dyncp corpus --shards` lists them all.
NAMED = 20

log = logging.getLogger(__name__)


class Signals(Sequence[Pcm]):
    """Recordings' samples by number, int16 [samples], with where each is heard."""

    def __init__(self, recordings: Sequence[Recording], held: dict[int, tuple[Pcm, Audible]]) -> None:
        self.recordings, self._held = recordings, held

    def __len__(self) -> int:
        return len(self.recordings)

    @overload
    def __getitem__(self, index: int) -> Pcm: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pcm]: ...
    def __getitem__(self, index: int | slice) -> Pcm | list[Pcm]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        held = self._held.get(index)
        return held[0] if held else read_recording(self.recordings[index])

    def audible(self, index: int) -> Audible:
        held = self._held.get(index)
        return held[1] if held else shard_audible(self.recordings[index])


@dataclass(frozen=True)
class Sources:
    """Speech and noise of one split, and the corpus of just those recordings, in the same order."""

    corpus: Corpus
    speech: Signals
    noise: Signals


def read_sources(part: Corpus) -> Sources:
    """The recordings of one split that can be used.

    Raises ConfigError where none is left, AudioError where a file of audio cannot be used, for its rate for example.
    """
    speech, noise = read_signals(part.speech, SPEECH), read_signals(part.noise, NOISE)
    return Sources(Corpus(tuple(speech.recordings), tuple(noise.recordings)), speech, noise)


def read_signals(recordings: Iterable[Recording], sound: Sound) -> Signals:
    """One part of them."""
    kept: list[Recording] = []
    held: dict[int, tuple[Pcm, Audible]] = {}
    left_out: list[str] = []
    for recording in recordings:
        if recording.shard is None:
            signal = examine(recording, sound)
            if isinstance(signal, str):
                left_out.append(signal)
                continue
            held[len(kept)] = signal
        kept.append(recording)
    tell_left_out(sound, tuple(left_out), len(kept))
    return Signals(kept, held)


def examine(recording: Recording, sound: Sound) -> tuple[Pcm, Audible] | str:
    """A recording of a file and where it is heard, or why it is left out.

    Raises AudioError as `read_recording` does.
    """
    try:
        return measured(recording, read_recording(recording), sound)
    except NoAudioError as error:
        return str(error)
    except AudioError as error:
        if any(path is not None and holds_no_audio(path) for path in (recording.path, recording.minus)):
            return str(error)
        raise


def measured(recording: Recording, pcm: Pcm, sound: Sound) -> tuple[Pcm, Audible]:
    """The recording's samples and where it is heard. Raises NoAudioError where that is too little, telling how much."""
    audible = Audible.of(pcm, sound)
    if audible.total < sound.least:
        seconds, heard = len(pcm) / SAMPLE_RATE, audible.total * HOP / SAMPLE_RATE
        raise NoAudioError(
            f"{recording.label}: holds no {sound.name}: of {seconds:.2f} s, {heard:.2f} s are above "
            f"{sound.floor_dbfs:.0f} dBFS, and {sound.least * HOP / SAMPLE_RATE:.1f} s are the least"
        )
    return pcm, audible


@cache
def tell_left_out(sound: Sound, reasons: tuple[str, ...], kept: int) -> None:
    """Say once what is left out. Raises ConfigError where nothing is left."""
    if not reasons:
        return
    listed = "\n  ".join([*reasons[:NAMED], *([f"and {len(reasons) - NAMED} more"] if len(reasons) > NAMED else [])])
    if not kept:
        raise ConfigError(
            f"corpus: none of {len(reasons)} recordings of {sound.name} in this split holds any:\n  {listed}"
        )
    log.warning("left out, because they hold no %s: %d of the recordings\n  %s", sound.name, len(reasons), listed)
