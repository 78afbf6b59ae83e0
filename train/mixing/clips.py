# SPDX-License-Identifier: Apache-2.0
"""Noisy clips on the fly. Batch n of a seed is always the same, so that a resumed training sees what it would have."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import irfft, prev_fast_len, rfft
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from dyncp.base.audio import Pcm, active_rms, rms
from dyncp.base.config.framing import SAMPLE_RATE, STANDARD, Framing
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.sounds.rates import resampled
from dyncp.train.corpora.audible import NOISE, SPEECH, Audible, Sound, settle, settle_padding
from dyncp.train.corpora.sources import Signals
from dyncp.train.mixing.everyday import Parts, as_met, clipped, with_step
from dyncp.train.mixing.rooms import Room, in_a_room
from dyncp.train.targets.clip_labels import ClipLabels, SourceClasses, clip_labels
from dyncp.train.targets.frames import near_speech

Signal = NDArray[np.float32]

# Cosines over the frequency axis that make up the random equalization.
EQUALIZER_ORDERS = np.array([1, 2, 3])


@dataclass
class Batch:
    """noisy, clean [B, T·hop] in [−1, 1]; level [B], the active speech RMS that normalises the loss.

    speech, bool [B, T], where the mixer marks it: frames near speech that is worth work (train/losses/kinds.py).
    """

    noisy: Tensor
    clean: Tensor
    level: Tensor
    labels: ClipLabels | None = None
    speech: Tensor | None = None


@dataclass
class Clip:
    """noisy, clean [T·hop] in [−1, 1]; level, the active speech RMS; the recordings' indices in the mixer's lists.

    snr_db: active speech RMS over the noise RMS; −∞ without speech.
    """

    noisy: Signal
    clean: Signal
    level: float
    speech: int
    noise: int
    snr_db: float


class Mixer:
    """Draws clips from recordings; with `classes`, its batches are labelled for joint training.

    Labels take as long as mixing: with `label_period` L only every Lth batch has them. With `speech_below`, batches say
    which frames are near speech, in clips whose SNR is below it, dB. A clip is a whole number of the hops of `framing`,
    whose frames the labels are of. Recordings are of 16 kHz; their stretches are brought to the rate of `framing`
    before levels are set and they meet, in one of `rooms`, of that rate, where the configuration asks for rooms.
    """

    def __init__(
        self,
        speech: Sequence[Pcm],
        noise: Sequence[Pcm],
        config: MixingConfig,
        classes: SourceClasses | None = None,
        speech_below: float | None = None,
        label_period: int = 1,
        framing: Framing = STANDARD,
        rooms: Sequence[Room] = (),
    ) -> None:
        self.speech, self.noise, self.config, self.classes = speech, noise, config, classes
        if config.rooms and not rooms:
            raise ValueError("rooms: clips are to be heard in rooms, and none is given")
        self.speech_below, self.label_period = speech_below, label_period
        self.framing, self.rooms = framing, rooms
        self.rate = framing.rate
        self.samples = round(config.clip_s * self.rate / framing.hop) * framing.hop
        # The same of the recordings.
        self.drawn = self.samples * SAMPLE_RATE // self.rate

    def batch(self, size: int | range, seed: tuple[int, ...]) -> Batch:
        """`size` clips, or those in a range of a larger batch: every clip has a seed of its own.

        The last number of `seed` is the batch's.
        """
        indices = range(size) if isinstance(size, int) else size
        clips = [self.clip(np.random.default_rng((*seed, index))) for index in indices]
        return Batch(
            torch.from_numpy(np.stack([clip.noisy for clip in clips])),
            torch.from_numpy(np.stack([clip.clean for clip in clips])),
            torch.tensor([clip.level for clip in clips], dtype=torch.float32),
            self._labels(clips) if seed[-1] % self.label_period == 0 else None,
            None if self.speech_below is None else self._near_speech(clips, self.speech_below),
        )

    def _near_speech(self, clips: list[Clip], snr_db: float) -> Tensor:
        marks = [near_speech(clip.clean, self.framing) & (clip.snr_db < snr_db) for clip in clips]
        return torch.from_numpy(np.stack(marks))

    def _labels(self, clips: list[Clip]) -> ClipLabels | None:
        if self.classes is None:
            return None
        return clip_labels(
            [(clip.clean, clip.noisy) for clip in clips],
            [self.classes.genders[clip.speech] for clip in clips],
            [self.classes.categories[clip.noise] for clip in clips],
            self.framing,
        )

    def clip(self, rng: np.random.Generator) -> Clip:
        config = self.config
        level = 10 ** (rng.uniform(*config.level_dbfs) / 20)
        snr_db = rng.uniform(*config.snr_db)
        spoken, voice = self._speech_crop(rng)
        clean = self._scaled(self._vary(spoken, rng), level)
        background, category = self._noise_crop(rng)
        noise = self._scaled(self._vary(background, rng), 1.0, whole=True)
        if rng.random() < config.second_noise:
            other = self._scaled(self._vary(self._noise_crop(rng)[0], rng), 1.0, whole=True)
            noise = self._scaled(noise + np.float32(rng.uniform(0.1, 1.0)) * other, 1.0, whole=True)
        noise *= np.float32(level / 10 ** (snr_db / 20))
        if rng.random() < config.noise_only:
            clean, snr_db = np.zeros_like(clean), -np.inf
        parts = as_met(Parts(clean, noise, snr_db), config, rng, self.rate)
        if config.rooms and parts.clean.any():
            # Drawn from a generator of their own: the clip is the one that it would be without a room.
            own = rng.spawn(1)[0]
            parts = in_a_room(parts, self.rooms, own, self.rate) if own.random() < config.rooms else parts
        parts = with_step(parts, config, rng, self.rate)
        noisy, clean = parts.clean + parts.noise, parts.clean
        # A mixture that would clip is turned down as a whole, so that clean + noise = noisy still holds.
        headroom = np.float32(min(1.0, 0.99 / max(float(np.abs(noisy).max()), 1e-9)))
        noisy, clean, level = noisy * headroom, clean * headroom, float(level * headroom)
        if config.clipping and clean.any() and rng.random() < config.clipping:
            noisy, clean, gain = clipped(noisy, clean, rng)
            level *= gain
        return Clip(noisy, clean, level, voice, category, parts.snr_db)

    def _speech_crop(self, rng: np.random.Generator) -> tuple[Signal, int]:
        """A random stretch; where an utterance is shorter than the clip, it lies in silence at a random place."""
        index = int(rng.integers(len(self.speech)))
        utterance = self.speech[index]
        spare = len(utterance) - self._source_samples
        if spare >= 0:
            start = int(rng.integers(spare + 1))
            start = settle(audible(self.speech, index, SPEECH), SPEECH, start, self._certain_samples, spare, rng)
            return _float(utterance[start : start + self._source_samples]), index
        before = int(rng.integers(-spare + 1))
        before = settle_padding(audible(self.speech, index, SPEECH), SPEECH, before, self._certain_samples, rng)
        return np.pad(_float(utterance), (before, -spare - before)), index

    def _noise_crop(self, rng: np.random.Generator) -> tuple[Signal, int]:
        index = int(rng.integers(len(self.noise)))
        recording = self.noise[index]
        start = int(rng.integers(len(recording)))
        latest = len(recording) - 1
        start = settle(audible(self.noise, index, NOISE), NOISE, start, self._certain_samples, latest, rng)
        stretch = recording[start : start + self._source_samples]
        missing = self._source_samples - len(stretch)
        return _float(np.concatenate([stretch, np.resize(recording, missing)])), index

    @property
    def _source_samples(self) -> int:
        return int(self.drawn * (1 + self.config.speed)) + 1

    @property
    def _certain_samples(self) -> int:
        """What of a crop every speed leaves in the clip."""
        return int(self.drawn * (1 - self.config.speed))

    def _vary(self, signal: Signal, rng: np.random.Generator) -> Signal:
        """Random speed (and pitch) and random smooth equalization, both of the spectrum.

        Returns exactly one clip, at the network's rate.
        """
        config, samples = self.config, self.drawn
        length = samples
        if config.speed:
            # The clip is this much of the signal, of a length that its transform is fast for.
            stretch = samples * (1 + rng.uniform(-config.speed, config.speed))
            length = prev_fast_len(round(stretch), real=True)
        if not (config.speed or config.eq_db):
            return resampled(signal[:length], self.rate)
        bins = samples // 2 + 1
        spectrum = rfft(signal[:length])[:bins]
        gain_db = rng.uniform(-1, 1, len(EQUALIZER_ORDERS)) * config.eq_db / EQUALIZER_ORDERS
        gain = np.exp((gain_db * np.log(10) / 20).astype(np.float32) @ _cosines(bins))
        spectrum *= gain[: len(spectrum)] * np.float32(samples / length)
        return resampled(cast(Signal, irfft(spectrum, samples)), self.rate)

    def _scaled(self, signal: Signal, level: float, whole: bool = False) -> Signal:
        """To an active RMS (`whole`: an RMS over all of it); silence stays silence."""
        own = rms(signal) if whole else active_rms(signal, self.rate)
        return signal * np.float32(level / own) if own > 0 else signal


class Batches(IterableDataset[Batch]):
    """Batches first … last − 1 of a seed, whole or a range of their clips, dealt out over the loader's workers."""

    def __init__(self, mixer: Mixer, size: int | range, seed: int, first: int, last: int) -> None:
        self.mixer, self.size, self.seed, self.first, self.last = mixer, size, seed, first, last

    def __iter__(self) -> Iterator[Batch]:
        info = torch.utils.data.get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        for index in range(self.first + worker, self.last, workers):
            yield self.mixer.batch(self.size, (self.seed, index))


def loader(batches: Batches, workers: int) -> DataLoader[Batch]:
    """The workers take turns, so that the order of batches does not depend on their number."""
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_end_with_the_trainer,
    )


def _end_with_the_trainer(_: int) -> None:
    """Ctrl-C reaches every process of a terminal; the one that trains ends its workers, which have nothing to tell."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = _tell_unless_cut_off


def _tell_unless_cut_off(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A batch is handed over by a thread, which fails where Ctrl-C met the training process as it took the batch."""
    if not issubclass(kind, OSError | EOFError):
        sys.__excepthook__(kind, error, trace)


@cache
def _cosines(bins: int) -> NDArray[np.float32]:
    """[orders, bins] over the frequency axis."""
    return np.cos(EQUALIZER_ORDERS[:, None] * np.linspace(0, np.pi, bins)).astype(np.float32)


def audible(recordings: Sequence[Pcm], index: int, sound: Sound) -> Audible:
    """Where a recording is heard: known of a corpus, measured of samples that a caller made."""
    return recordings.audible(index) if isinstance(recordings, Signals) else Audible.of(recordings[index], sound)


def _float(pcm: Pcm) -> Signal:
    return np.divide(pcm, 32768, dtype=np.float32)
