# SPDX-License-Identifier: Apache-2.0
"""The day: a stream of the situations that a device meets, each in its share, on which cost and quality are told.

Conversations of one talker in noise (ITU-T P.59), noise alone, a quiet room and digital silence, in stretches in
random order. The recipe is data: dyncp/presets/day.toml. docs/day.md explains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm, active_rms, rms
from dyncp.base.config.framing import HOP, SAMPLE_RATE, Framing
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.audible import NOISE, settle
from dyncp.train.corpora.audible import SPEECH as VOICE
from dyncp.train.corpora.recordings import Corpus, Recording, Split
from dyncp.train.day.recipe import CONDITIONS, KINDS, SPEECH, Condition, DayConfig, Kind, load_day
from dyncp.train.day.talk import Talker
from dyncp.train.streams.strata import Strata
from dyncp.train.streams.streams import FAINTEST, PEAK, Segment, Stream
from dyncp.train.streams.usable import Usable

# A recording yields to others after so many uses (strata.py).
REPEATS = 4
SHORTEST_MINUTES = 0.5


@dataclass(frozen=True)
class Stretch:
    """Whole hops of one kind. `snr_db` of a conversation alone."""

    kind: Kind
    start: int
    hops: int
    snr_db: float | None = None

    @property
    def frames(self) -> slice:
        return slice(self.start, self.start + self.hops)

    @property
    def samples(self) -> slice:
        return slice(self.start * HOP, (self.start + self.hops) * HOP)


@dataclass(frozen=True)
class Day:
    """`condition`, uint8 [T], is the index in CONDITIONS of each frame's newer hop; the stretches cover all frames.

    Their samples are of 16 kHz; the stream's are of its own rate.
    """

    stream: Stream
    condition: NDArray[np.uint8]
    stretches: tuple[Stretch, ...]

    def at(self, rate: int) -> Day:
        """The same day as a network of another rate hears it."""
        return replace(self, stream=self.stream.at(rate))

    def conditions(self, framing: Framing) -> NDArray[np.uint8]:
        """Of each frame of a network of the stream's rate, that of the hop of 16 ms that it ends in.

        The last one may be filled up.
        """
        frames = -(-len(self.stream.noisy) // framing.hop)
        return self.condition[np.minimum(framing.standard_hops(frames), len(self.condition) - 1)]

    @property
    def shares(self) -> dict[Condition, float]:
        """Of the frames, by condition."""
        counts = np.bincount(self.condition, minlength=len(CONDITIONS)) / len(self.condition)
        return {name: float(share) for name, share in zip(CONDITIONS, counts, strict=True)}


def make_day(corpus: Corpus, split: Split, minutes: float, settings: DayConfig | None = None, seed: int = 0) -> Day:
    """`minutes` of one split's speakers and noises, the same for the same arguments.

    Raises ConfigError where the split lacks speech or noise or the day is too short, AudioError for a bad recording.
    """
    settings = settings or load_day()
    if minutes < SHORTEST_MINUTES:
        raise ConfigError(f"a day of {minutes:g} minutes holds too few situations; it needs {SHORTEST_MINUTES:g}")
    part = corpus.split(split)
    rng = np.random.default_rng((seed, get_args(Split).index(split)))
    stretches = _lay_out(round(minutes * 60 * SAMPLE_RATE / HOP), settings, rng)
    return _Mixer(part, settings, rng).mix(stretches)


def _lay_out(hops: int, settings: DayConfig, rng: np.random.Generator) -> list[Stretch]:
    """Each kind's time in stretches of about equal length, all of them in random order."""
    lengths: list[tuple[Kind, int]] = []
    total = 0
    shares = [(kind, getattr(settings.shares, kind)) for kind in KINDS]
    ends = np.round(np.cumsum([share for _, share in shares]) * hops).astype(int)
    for (kind, _), end in zip(shares, ends, strict=True):
        time, total = int(end) - total, int(end)
        count = min(time, max(1, round(time * HOP / SAMPLE_RATE / settings.stretch_s)))
        lengths += [(kind, len(part)) for part in np.array_split(np.arange(time), count)] if time else []
    order = [lengths[i] for i in rng.permutation(len(lengths))]
    starts = np.cumsum([0, *(length for _, length in order)])
    return [Stretch(kind, int(start), length) for (kind, length), start in zip(order, starts, strict=False)]


class _Mixer:
    """Fills stretches with a split's recordings."""

    def __init__(self, part: Corpus, settings: DayConfig, rng: np.random.Generator) -> None:
        self._settings, self._rng = settings, rng
        self._voices = Strata(part.speech, lambda recording: (recording.gender, recording.accent), REPEATS, rng)
        self._noises = Strata(part.noise, lambda recording: (recording.category,), REPEATS, rng)
        self._heard, self._sounds = Usable(self._voices, VOICE), Usable(self._noises, NOISE)
        self._by_speaker: dict[str, list[Recording]] = {}
        for recording in part.speech:
            self._by_speaker.setdefault(recording.group, []).append(recording)

    def mix(self, stretches: Sequence[Stretch]) -> Day:
        frames = stretches[-1].start + stretches[-1].hops
        clean, noise = np.zeros((2, frames * HOP), np.int16)
        speech: list[Segment] = []
        noises: list[Segment] = []
        snr_db, level_dbfs, noise_dbfs, quiet_db = self._spread_levels(stretches)
        for i, stretch in enumerate(stretches):
            if stretch.kind == "silence":
                continue
            segment, sound = self._noise(stretch)
            noises.append(segment)
            if stretch.kind == "conversation":
                spoken = self._talk(clean, stretch)
                speech += spoken
                _set_levels(clean[stretch.samples], noise[stretch.samples], sound, level_dbfs[i], snr_db[i])
            else:
                level = {"noise": 32768 * _gain(noise_dbfs[i]), "quiet": _gain(quiet_db[i])}[stretch.kind]
                noise[stretch.samples] = np.round(sound * min(level, PEAK / max(_peak(sound), 1e-9)))
        self._heard.tell_left_out()
        self._sounds.tell_left_out()
        told = tuple(
            Stretch(s.kind, s.start, s.hops, float(snr_db[i]) if s.kind == "conversation" else None)
            for i, s in enumerate(stretches)
        )
        stream = Stream(clean, noise, clean + noise, tuple(speech), tuple(noises))
        return Day(stream, _conditions(told, speech, frames), told)

    def _spread_levels(self, stretches: Sequence[Stretch]) -> list[NDArray[np.float64]]:
        """SNR, speech level, noise level and quiet level in dB, [stretches]: each even over those that it is for."""
        levels = self._settings.levels
        quiet_db = (20 * np.log10(levels.quiet_lsb[0]), 20 * np.log10(levels.quiet_lsb[1]))
        wanted: list[tuple[Kind, tuple[float, float]]] = [
            ("conversation", levels.snr_db),
            ("conversation", levels.speech_dbfs),
            ("noise", levels.noise_dbfs),
            ("quiet", quiet_db),
        ]
        spread = []
        for kind, (low, high) in wanted:
            places = [i for i, stretch in enumerate(stretches) if stretch.kind == kind]
            values = np.zeros(len(stretches))
            # One draw from each of as many equal parts of the range as there are stretches, in random order.
            parts = (self._rng.permutation(len(places)) + self._rng.random(len(places))) / max(1, len(places))
            values[places] = low + (high - low) * parts
            spread.append(values)
        return spread

    def _noise(self, stretch: Stretch) -> tuple[Segment, NDArray[np.float32]]:
        """A noise for the stretch, of RMS 1; a recording that is too short repeats."""
        recording, pcm, audible = self._sounds.draw()
        latest = max(0, len(pcm) - stretch.hops * HOP)
        offset = settle(audible, NOISE, int(self._rng.integers(latest + 1)), stretch.hops * HOP, latest, self._rng)
        self._noises.spend(recording, stretch.hops)
        sound = np.resize(pcm[offset:], stretch.hops * HOP).astype(np.float32)
        return Segment(recording, stretch.start, stretch.hops, offset), sound / np.float32(max(rms(sound), 1.0))

    def _talk(self, clean: Pcm, stretch: Stretch) -> list[Segment]:
        """Spurts of one speaker, the pauses between drawn like the one before the first."""
        turns, rng = self._settings.turns, self._rng
        drawn, _, _ = self._heard.draw()
        talker = Talker([drawn, *(r for r in self._by_speaker[drawn.group] if r != drawn)])
        end = stretch.start + stretch.hops
        segments: list[Segment] = []
        position = stretch.start + turns.draw(turns.pause_s, rng)
        while position < end:
            spurt = talker.speak(clean[: end * HOP], position, turns.draw(turns.spurt_s, rng))
            segments += spurt
            position = spurt[-1].start + spurt[-1].hops + turns.draw(turns.pause_s, rng)
        self._voices.spend(drawn, sum(segment.hops for segment in segments))
        return segments


def _set_levels(clean: Pcm, noise: Pcm, sound: NDArray[np.float32], level_dbfs: float, snr_db: float) -> None:
    """In place: the stretch's speech at its active level, and the noise below it; what would clip is turned down."""
    level = 32768 * _gain(level_dbfs)
    talk_gain = level / (active_rms(clean.astype(np.float32)) or level)
    talk = np.float32(talk_gain) * clean
    background = np.float32(level / _gain(snr_db) / max(float(np.sqrt(np.mean(sound**2))), FAINTEST)) * sound
    down = np.float32(min(1.0, PEAK / max(_peak(talk) + _peak(background), 1e-9)))
    clean[:], noise[:] = np.round(down * talk), np.round(down * background)


def _conditions(stretches: Sequence[Stretch], speech: Sequence[Segment], frames: int) -> NDArray[np.uint8]:
    by_kind: Mapping[Kind, Condition] = {
        "conversation": "pause",
        "noise": "noise",
        "quiet": "quiet",
        "silence": "silence",
    }
    condition = np.empty(frames, np.uint8)
    for stretch in stretches:
        condition[stretch.frames] = CONDITIONS.index(by_kind[stretch.kind])
    for segment in speech:
        condition[segment.start : segment.start + segment.hops] = SPEECH
    return condition


def _gain(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _peak(signal: NDArray[np.float32]) -> float:
    return float(np.abs(signal).max(initial=0.0))
