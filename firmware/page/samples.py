# SPDX-License-Identifier: Apache-2.0
"""Built-in audio: voices that are synthesized, in noise that is too, so that the page brings no recording.

A voice is a train of glottal pulses, each of which rings at the formants of a vowel (Rodet's formant wave functions,
1984), with the formants of Peterson and Barney (1952), fricatives between vowels, and pauses between words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm, active_rms
from dyncp.base.config.framing import SAMPLE_RATE

Signal = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Signal]

# Hz, the mean of men; women's are some 17 % higher.
VOWELS = np.array(
    [
        (270, 2290, 3010),
        (530, 1840, 2480),
        (730, 1090, 2440),
        (570, 840, 2410),
        (300, 870, 2240),
        (640, 1190, 2390),
    ],
    np.float64,
)
FOURTH = 3500.0
BANDWIDTHS = (80, 110, 170, 250)
LEVELS_DB = (0, -9, -16, -24)
WOMAN = 1.17
SPEECH_DBFS = -26.0


@dataclass(frozen=True)
class Sample:
    """Synthesized audio, and the clean speech that is in it."""

    title: str
    noisy: Pcm
    clean: Pcm
    """Zeros where nobody speaks."""


def samples() -> list[Sample]:
    """Always the same, on one machine."""
    return [
        _sample("Two voices beside a fan", _fan, snr_db=6.0, seed=1),
        _sample("Two voices by a road", _road, snr_db=3.0, seed=2),
    ]


def _sample(title: str, noise_of: Noise, snr_db: float, seed: int) -> Sample:
    """A second of noise alone, a man, noise, a woman, noise, and half a second of digital silence; 7.5 s."""
    random = np.random.default_rng(seed)
    rest = np.zeros(SAMPLE_RATE)
    man, woman = _voice(random, 2.4, 110.0, 1.0), _voice(random, 2.4, 205.0, WOMAN)
    clean = np.concatenate([rest, man, rest[:9600], woman, rest[:9600]])
    clean *= 10 ** (SPEECH_DBFS / 20) / active_rms(clean)
    noise = noise_of(random, len(clean))
    noise *= 10 ** ((SPEECH_DBFS - snr_db) / 20) / np.sqrt(np.mean(noise**2))
    silence = np.zeros(SAMPLE_RATE // 2)
    return Sample(title, _pcm(np.concatenate([clean + noise, silence])), _pcm(np.concatenate([clean, silence])))


def _pcm(signal: Signal) -> Pcm:
    pcm: Pcm = np.clip(np.round(signal * 32768), -32768, 32767).astype(np.int16)
    return pcm


def _voice(random: np.random.Generator, seconds: float, pitch: float, tract: float) -> Signal:
    """Words of two to four syllables, `pitch` in Hz on average, formants `tract` times a man's."""
    signal = np.zeros(round(seconds * SAMPLE_RATE))
    at = 0.0
    for length, vowels, hiss in _words(random):
        if at + length > seconds:
            break
        _add_word(signal[round(at * SAMPLE_RATE) :], length, vowels * tract, pitch * random.uniform(0.92, 1.1))
        _add_hiss(random, signal[: round(at * SAMPLE_RATE)], hiss)
        at += length + random.uniform(0.08, 0.2)
    return signal


def _words(random: np.random.Generator) -> Iterator[tuple[float, Signal, float]]:
    """Seconds of a word, its vowels' formants [syllables, 4] in Hz, and the level of the fricative before it."""
    while True:
        vowels = VOWELS[random.integers(0, len(VOWELS), int(random.integers(2, 5)))]
        formants = np.column_stack([vowels, np.full(len(vowels), FOURTH)])
        yield 0.19 * len(vowels), formants, float(random.choice([0.0, 0.15, 0.36]))


def _add_word(signal: Signal, length: float, vowels: Signal, pitch: float) -> None:
    """From the start of `signal`, pulses whose formants glide from vowel to vowel and whose level dips in between."""
    ring = np.arange(round(0.03 * SAMPLE_RATE)) / SAMPLE_RATE
    middles = (np.arange(len(vowels)) + 0.5) / len(vowels)
    time = 0.0
    while time < length:
        share = time / length
        pulse = np.zeros(len(ring))
        for place, (db, width) in enumerate(zip(LEVELS_DB, BANDWIDTHS, strict=True)):
            formant = np.interp(share, middles, vowels[:, place])
            pulse += 10 ** (db / 20) * np.exp(-np.pi * width * ring) * np.sin(2 * np.pi * formant * ring)
        syllable = 0.25 + 0.75 * np.sin(np.pi * (share * len(vowels) % 1)) ** 2
        level = syllable * np.sin(np.pi * min(1.0, share * 6, (1 - share) * 6) / 2)
        part = signal[round(time * SAMPLE_RATE) :][: len(ring)]
        part += level * pulse[: len(part)]
        # The pitch falls over a word, with a rise in its middle.
        time += 1 / (pitch * (1.12 - 0.24 * share + 0.1 * np.sin(np.pi * share)))


def _add_hiss(random: np.random.Generator, signal: Signal, level: float) -> None:
    """A fricative of 90 ms at the end of `signal`, where there is so much."""
    hiss = _shaped(random, round(0.09 * SAMPLE_RATE), lambda f: np.exp(-(((f - 5200) / 1300) ** 2)))
    if len(signal) >= len(hiss):
        signal[len(signal) - len(hiss) :] += level * np.hanning(len(hiss)) * hiss


def _fan(random: np.random.Generator, count: int) -> Signal:
    """Noise that falls by 4.5 dB an octave, with the hum of its motor."""
    time = np.arange(count) / SAMPLE_RATE
    noise = _shaped(random, count, lambda f: np.maximum(f, 60.0) ** -0.75)
    for k in (1, 2, 3, 4):
        noise += 0.25 / k * np.sin(2 * np.pi * 99.5 * k * time)
    return noise


def _road(random: np.random.Generator, count: int) -> Signal:
    """Low noise that swells as cars pass."""
    swell = 0.45 + 0.55 * np.sin(2 * np.pi * 0.31 * np.arange(count) / SAMPLE_RATE + 0.6) ** 2
    noise = _shaped(random, count, lambda f: 1 / (1 + (f / 700) ** 1.6) / (1 + (60 / np.maximum(f, 1.0)) ** 2))
    return np.asarray(swell * noise)


def _shaped(random: np.random.Generator, count: int, gain: Callable[[Signal], Signal]) -> Signal:
    """White noise through a filter of that gain at each frequency in Hz; RMS 1."""
    spectrum = np.fft.rfft(random.normal(size=count)) * gain(
        np.asarray(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), np.float64)
    )
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))
