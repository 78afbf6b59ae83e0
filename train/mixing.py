# SPDX-License-Identifier: Apache-2.0
"""Noisy clips on the fly. Batch n of a seed is always the same, so that a resumed training sees what it would have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from dyncp.train.audio import Pcm, active_rms
from dyncp.train.clip_labels import ClipLabels, SourceClasses, clip_labels
from dyncp.train.config import HOP, SAMPLE_RATE, MixingConfig

Signal = NDArray[np.float32]

# Speed changes are ratios of these integers, so that a polyphase filter does them.
SPEED_BASE = 20


@dataclass
class Batch:
    """noisy, clean [B, T·256] in [−1, 1]; level [B], the active speech RMS that normalises the loss."""

    noisy: Tensor
    clean: Tensor
    level: Tensor
    labels: ClipLabels | None = None


@dataclass
class Clip:
    """noisy, clean [T·256] in [−1, 1]; level, the active speech RMS; the recordings' indices in the mixer's lists."""

    noisy: Signal
    clean: Signal
    level: float
    speech: int
    noise: int


class Mixer:
    """Draws clips from recordings held in memory; with `classes`, its batches are labelled for joint training."""

    def __init__(
        self, speech: list[Pcm], noise: list[Pcm], config: MixingConfig, classes: SourceClasses | None = None
    ) -> None:
        self.speech, self.noise, self.config, self.classes = speech, noise, config, classes
        self.samples = round(config.clip_s * SAMPLE_RATE / HOP) * HOP

    def batch(self, size: int | range, seed: tuple[int, ...]) -> Batch:
        """`size` clips, or those in a range of a larger batch: every clip has a seed of its own."""
        indices = range(size) if isinstance(size, int) else size
        clips = [self.clip(np.random.default_rng((*seed, index))) for index in indices]
        return Batch(
            torch.from_numpy(np.stack([clip.noisy for clip in clips])),
            torch.from_numpy(np.stack([clip.clean for clip in clips])),
            torch.tensor([clip.level for clip in clips], dtype=torch.float32),
            self._labels(clips),
        )

    def _labels(self, clips: list[Clip]) -> ClipLabels | None:
        if self.classes is None:
            return None
        return clip_labels(
            [(clip.clean, clip.noisy) for clip in clips],
            [self.classes.genders[clip.speech] for clip in clips],
            [self.classes.categories[clip.noise] for clip in clips],
        )

    def clip(self, rng: np.random.Generator) -> Clip:
        config = self.config
        level = 10 ** (rng.uniform(*config.level_dbfs) / 20)
        snr = 10 ** (rng.uniform(*config.snr_db) / 20)
        spoken, voice = self._speech_crop(rng)
        clean = _scaled(self._vary(spoken, rng), level)
        background, category = self._noise_crop(rng)
        noise = _scaled(self._vary(background, rng), 1.0, whole=True)
        if rng.random() < config.second_noise:
            other = _scaled(self._vary(self._noise_crop(rng)[0], rng), 1.0, whole=True)
            noise = _scaled(noise + np.float32(rng.uniform(0.1, 1.0)) * other, 1.0, whole=True)
        noise *= np.float32(level / snr)
        if rng.random() < config.noise_only:
            clean = np.zeros_like(clean)
        noisy = clean + noise
        # A mixture that would clip is turned down as a whole, so that clean + noise = noisy still holds.
        headroom = np.float32(min(1.0, 0.99 / max(float(np.abs(noisy).max()), 1e-9)))
        return Clip(noisy * headroom, clean * headroom, float(level * headroom), voice, category)

    def _speech_crop(self, rng: np.random.Generator) -> tuple[Signal, int]:
        """A random stretch; where an utterance is shorter than the clip, it lies in silence at a random place."""
        index = int(rng.integers(len(self.speech)))
        utterance = self.speech[index]
        spare = len(utterance) - self._source_samples
        if spare >= 0:
            start = rng.integers(spare + 1)
            return _float(utterance[start : start + self._source_samples]), index
        before = rng.integers(-spare + 1)
        return np.pad(_float(utterance), (before, -spare - before)), index

    def _noise_crop(self, rng: np.random.Generator) -> tuple[Signal, int]:
        index = int(rng.integers(len(self.noise)))
        recording = self.noise[index]
        start = rng.integers(len(recording))
        positions = (start + np.arange(self._source_samples)) % len(recording)
        return _float(recording[positions]), index

    @property
    def _source_samples(self) -> int:
        return int(self.samples * (1 + self.config.speed)) + 1

    def _vary(self, signal: Signal, rng: np.random.Generator) -> Signal:
        """Random speed (and pitch) and random smooth equalization; returns exactly one clip."""
        steps = round(self.config.speed * SPEED_BASE)
        up = SPEED_BASE + int(rng.integers(-steps, steps + 1))
        if up != SPEED_BASE:
            signal = resample_poly(signal, up, SPEED_BASE).astype(np.float32)
        if len(signal) < self.samples:
            signal = np.pad(signal, (0, self.samples - len(signal)), mode="wrap")
        return self._equalize(signal[: self.samples], rng)

    def _equalize(self, signal: Signal, rng: np.random.Generator) -> Signal:
        """A few slow cosines over the frequency axis, in dB, applied to the whole clip's spectrum."""
        if self.config.eq_db == 0:
            return signal
        spectrum = np.fft.rfft(signal)
        axis = np.linspace(0, np.pi, len(spectrum), dtype=np.float32)
        gain_db = np.zeros_like(axis)
        for order in (1, 2, 3):
            gain_db += np.float32(rng.uniform(-1, 1) * self.config.eq_db / order) * np.cos(order * axis)
        equalized = np.fft.irfft(spectrum * 10 ** (gain_db / 20), n=len(signal))
        return cast(Signal, equalized.astype(np.float32))


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
    return DataLoader(batches, batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None)


def _float(pcm: Pcm) -> Signal:
    return np.divide(pcm, 32768, dtype=np.float32)


def _scaled(signal: Signal, level: float, whole: bool = False) -> Signal:
    """To an active RMS (`whole`: an RMS over all of it); silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(signal, dtype=np.float64)))) if whole else active_rms(signal)
    return signal * np.float32(level / rms) if rms > 0 else signal
