# SPDX-License-Identifier: Apache-2.0
"""One long continuous noisy signal per split (arXiv 2602.10666, section 2.1), with metadata at frame resolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dyncp.base.audio import Pcm, active_rms, rms, to_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE, STANDARD, Framing
from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ConfigError
from dyncp.base.sounds.rates import resampled
from dyncp.train.corpora.audible import NOISE, SPEECH, settle
from dyncp.train.corpora.recordings import Corpus, Recording, Split
from dyncp.train.streams.strata import Strata
from dyncp.train.streams.usable import Usable

Range = tuple[float, float]

# A mixture reaches this share of full scale at most; the rest is for rounding.
PEAK = 0.99 * 32767
# An utterance that the stream's end would cut shorter than this is left out.
SHORTEST_HOPS = SAMPLE_RATE // HOP
# Under an utterance, noise counts as no fainter than this share of its recording's RMS: otherwise the silence between
# two barks would be turned up to the wanted SNR, and the next bark with it.
FAINTEST = 0.1


@dataclass(frozen=True)
class Segment:
    """A stretch of whole hops of 16 ms that one recording fills: its first hop in the stream, its length in hops.

    `offset` is the sample of the recording that it begins with; a recording that is too short for it repeats.
    """

    recording: Recording
    start: int
    hops: int
    offset: int = 0

    @property
    def samples(self) -> slice:
        return slice(self.start * HOP, (self.start + self.hops) * HOP)


@dataclass(frozen=True)
class Stream:
    """clean + noise = noisy, int16, of one length, a whole number of hops of 16 ms.

    `speech` does not cover pauses; `noises` covers everything. T frames are those of `framing`; what is said of one is
    said of the hop of 16 ms that it ends in. Samples are of the framing's rate; those of segments are of 16 kHz.
    """

    clean: Pcm
    noise: Pcm
    noisy: Pcm
    speech: tuple[Segment, ...]
    noises: tuple[Segment, ...]
    framing: Framing = STANDARD

    @property
    def frames(self) -> int:
        return len(self.noisy) // self.framing.hop

    def cut_for(self, framing: Framing) -> Stream:
        """The same at the rate and in frames of a network, without what is left after its last whole hop."""
        heard = self.at(framing.rate)
        whole = slice(len(heard.noisy) // framing.hop * framing.hop)
        parts = heard.clean[whole], heard.noise[whole], heard.noisy[whole]
        return Stream(*parts, self.speech, self.noises, framing)

    def at(self, rate: int) -> Stream:
        """The same at another rate, of frames of 32 ms every 16 ms; itself where that is its rate."""
        if rate == self.framing.rate:
            return self
        clean, noise = (
            to_pcm(resampled(part.astype(np.float32) / np.float32(32768), rate, self.framing.rate))
            for part in (self.clean, self.noise)
        )
        # Where both peak at once, the noise gives way.
        noisy = (clean.astype(np.int32) + noise).clip(-32768, 32767).astype(np.int16)
        return Stream(clean, noisy - clean, noisy, self.speech, self.noises, Framing(rate=rate).standard)

    def speech_index(self) -> NDArray[np.int32]:
        """Position in `speech` of each frame's utterance, [T]; −1 in pauses."""
        return self._index(self.speech)

    def noise_index(self) -> NDArray[np.int32]:
        """Position in `noises` of each frame's noise, [T]."""
        return self._index(self.noises)

    def _index(self, segments: tuple[Segment, ...]) -> NDArray[np.int32]:
        hops = self.framing.standard_hops(self.frames)
        return _index(segments, -(-len(self.noisy) // self.framing.samples(HOP)))[hops]

    def speakers(self) -> NDArray[np.str_]:
        """Who speaks, [T]; empty in pauses, as in all of these."""
        return _spread(self.speech, self.speech_index(), lambda recording: recording.group)

    def genders(self) -> NDArray[np.str_]:
        """F, M, or U where it is not known, [T]."""
        return _spread(self.speech, self.speech_index(), lambda recording: recording.gender)

    def accents(self) -> NDArray[np.str_]:
        """The accent's name, [T]; empty where it is not known, too."""
        return _spread(self.speech, self.speech_index(), lambda recording: recording.accent)

    def noise_categories(self) -> NDArray[np.str_]:
        """The noise category's name, [T]."""
        return _spread(self.noises, self.noise_index(), lambda recording: recording.category)


class StreamConfig(StrictModel):
    """How a stream is mixed. Levels and SNRs are those of active speech (`active_rms`), drawn for each utterance."""

    snr_db: Range = Field((-5.0, 15.0), description="uniform range")
    snr_values_db: tuple[float, ...] = Field((), description="where given, drawn from these instead of the range")
    level_dbfs: Range = Field((-40.0, -15.0), description="uniform range: quiet talker far off to loud talker close by")
    pause_s: Range = Field((0.3, 1.5), description="between utterances, uniform range")
    noise_s: Range = Field((10.0, 20.0), description="how long one noise stays, uniform range")
    utterance_s: float = Field(15.0, ge=1, description="of longer recordings, a random stretch of this length")
    repeats: int = Field(
        4, ge=1, description="how often a stratum's recordings are used before it yields to strata that hold more"
    )

    @model_validator(mode="after")
    def _ranges(self) -> StreamConfig:
        for name, least in (("snr_db", -60.0), ("level_dbfs", -80.0), ("pause_s", 0.0), ("noise_s", 1.0)):
            low, high = getattr(self, name)
            if not least <= low <= high:
                raise ValueError(f"{name}: must run from at least {least:g} upwards, not from {low:g} to {high:g}")
        return self


def make_stream(
    corpus: Corpus, split: Split, minutes: float, settings: StreamConfig | None = None, seed: int = 0
) -> Stream:
    """`minutes` of one split's speakers in its noises, the same for the same arguments.

    A recording in which nobody speaks, and a noise that is none, is left out and named; of the others, a stretch is
    taken in which something is heard. Raises ConfigError where the split lacks speech or noise, AudioError where a
    recording cannot be read.
    """
    settings = settings or StreamConfig()
    part = corpus.split(split)
    hops = round(minutes * 60 * SAMPLE_RATE / HOP)
    if hops < SHORTEST_HOPS:
        raise ConfigError(f"a stream of {minutes:g} minutes is too short; it needs a second at least")
    rng = np.random.default_rng((seed, get_args(Split).index(split)))
    clean, speech = _lay_out_speech(part, hops, settings, rng)
    raw, noises = _lay_out_noise(part, hops, settings, rng)
    noise = _set_levels(clean, raw, speech, settings, rng)
    return Stream(clean, noise, clean + noise, speech, noises)


def _lay_out_speech(
    part: Corpus, hops: int, settings: StreamConfig, rng: np.random.Generator
) -> tuple[Pcm, tuple[Segment, ...]]:
    """Utterances as recorded, with pauses before each and after the last."""
    strata = Strata(part.speech, lambda recording: (recording.gender, recording.accent), settings.repeats, rng)
    usable = Usable(strata, SPEECH)
    clean = np.zeros(hops * HOP, np.int16)
    segments = []
    position = _draw_hops(settings.pause_s, rng)
    while hops - position >= SHORTEST_HOPS:
        recording, pcm, audible = usable.draw()
        length = min(-(-len(pcm) // HOP), round(settings.utterance_s * SAMPLE_RATE / HOP), hops - position)
        offset, latest = _draw_offset(pcm, length, rng), max(0, len(pcm) - length * HOP)
        offset = settle(audible, SPEECH, offset, length * HOP, latest, rng)
        segment = Segment(recording, position, length, offset)
        placed = pcm[segment.offset :][: length * HOP]
        clean[position * HOP :][: len(placed)] = placed
        strata.spend(recording, segment.hops)
        segments.append(segment)
        position += segment.hops + max(1, _draw_hops(settings.pause_s, rng))
    usable.tell_left_out()
    return clean, tuple(segments)


def _lay_out_noise(
    part: Corpus, hops: int, settings: StreamConfig, rng: np.random.Generator
) -> tuple[NDArray[np.float32], tuple[Segment, ...]]:
    """Stretches of noise, each of RMS 1, one after the other; a recording that is shorter than its stretch repeats."""
    strata = Strata(part.noise, lambda recording: (recording.category,), settings.repeats, rng)
    usable = Usable(strata, NOISE)
    raw = np.zeros(hops * HOP, np.float32)
    segments = []
    position = 0
    while position < hops:
        recording, pcm, audible = usable.draw()
        length = min(max(1, _draw_hops(settings.noise_s, rng)), hops - position)
        offset, latest = _draw_offset(pcm, length, rng), max(0, len(pcm) - length * HOP)
        segment = Segment(recording, position, length, settle(audible, NOISE, offset, length * HOP, latest, rng))
        stretch = np.resize(pcm[segment.offset :], length * HOP).astype(np.float32)
        raw[segment.samples] = stretch / max(rms(stretch), 1.0)
        strata.spend(recording, segment.hops)
        segments.append(segment)
        position += segment.hops
    usable.tell_left_out()
    return raw, tuple(segments)


def _set_levels(
    clean: Pcm, raw: NDArray[np.float32], speech: tuple[Segment, ...], settings: StreamConfig, rng: np.random.Generator
) -> Pcm:
    """Scale each utterance in place and return the noise: one gain under each utterance, ramps in the pauses."""
    noise = np.zeros_like(clean)
    pauses = _pauses(speech, len(clean))
    gains = []
    for number, segment in enumerate(speech):
        talk, background = clean[segment.samples].astype(np.float32), raw[segment.samples]
        level = 32768 * 10 ** (rng.uniform(*settings.level_dbfs) / 20)
        talk_gain = level / (active_rms(talk) or level)
        noise_gain = level / _draw_snr(settings, rng) / max(rms(background), FAINTEST)
        # What would clip is turned down as a whole; then no ramp between two such gains clips in a pause either.
        around = max(_peak(raw[pause]) for pause in pauses[number : number + 2])
        loudest = max(_peak(talk_gain * talk + noise_gain * background), talk_gain * _peak(talk), noise_gain * around)
        down = min(1.0, PEAK / max(loudest, noise_gain * _peak(background), 1e-9))
        clean[segment.samples] = np.round(down * talk_gain * talk)
        noise[segment.samples] = np.round(down * noise_gain * background)
        gains.append(down * noise_gain)
    ends = [gains[0], *gains, gains[-1]] if gains else 2 * [_unaccompanied(raw, settings, rng)]
    for pause, first, last in zip(pauses, ends[:-1], ends[1:], strict=True):
        noise[pause] = np.round(np.linspace(first, last, pause.stop - pause.start, dtype=np.float32) * raw[pause])
    return noise


def _unaccompanied(raw: NDArray[np.float32], settings: StreamConfig, rng: np.random.Generator) -> float:
    """The gain of noise in a stream that is too short for an utterance."""
    level = 32768 * 10 ** (rng.uniform(*settings.level_dbfs) / 20)
    return min(level / _draw_snr(settings, rng), PEAK / max(_peak(raw), 1e-9))


def _pauses(speech: tuple[Segment, ...], samples: int) -> list[slice]:
    """The stretches before, between and after the utterances; the outer ones may be empty."""
    starts = [0, *(segment.samples.stop for segment in speech)]
    stops = [*(segment.samples.start for segment in speech), samples]
    return [slice(start, stop) for start, stop in zip(starts, stops, strict=True)]


def _draw_snr(settings: StreamConfig, rng: np.random.Generator) -> float:
    """Ratio of amplitudes."""
    values = settings.snr_values_db
    snr_db = values[rng.integers(len(values))] if values else rng.uniform(*settings.snr_db)
    return float(10 ** (snr_db / 20))


def _draw_hops(seconds: Range, rng: np.random.Generator) -> int:
    return round(rng.uniform(*seconds) * SAMPLE_RATE / HOP)


def _draw_offset(pcm: Pcm, hops: int, rng: np.random.Generator) -> int:
    """Where a random stretch of a recording starts; a recording that is shorter than it is used from its start."""
    return int(rng.integers(max(1, len(pcm) - hops * HOP + 1)))


def _peak(signal: NDArray[np.float32]) -> float:
    return float(np.abs(signal).max(initial=0.0))


def _index(segments: tuple[Segment, ...], hops: int) -> NDArray[np.int32]:
    index = np.full(hops, -1, np.int32)
    for number, segment in enumerate(segments):
        index[segment.start : segment.start + segment.hops] = number
    return index


def _spread(
    segments: tuple[Segment, ...], index: NDArray[np.int32], name: Callable[[Recording], str]
) -> NDArray[np.str_]:
    # The empty name comes last, where the index −1 of a pause finds it.
    return np.array([*(name(segment.recording) for segment in segments), ""])[index]
