# SPDX-License-Identifier: Apache-2.0
"""Clips as people meet them, beside noisy speech: clean speech, quiet rooms, digital silence, pauses, steps, clipping.

Each kind has a share of its own in the mixing configuration; with all shares at 0 nothing is drawn here, so that the
batches of a seed stay what they were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import rms
from dyncp.base.config.framing import HOP, SAMPLE_RATE, samples_at
from dyncp.base.config.mixing import MixingConfig

Signal = NDArray[np.float32]

# RMS of a quiet room's noise, in steps of int16: what a converter and a microphone at rest deliver.
QUIET_LSB = (0.5, 8.0)
# What clipped clips exceed full scale by.
OVERDRIVE_DB = (1.0, 9.0)
PAUSE_S = (0.5, 3.0)
# A pause begins at the softest place this near to where it was drawn, so that few words are cut.
SOFT_FRAMES = 16
FADE_S = 0.01


@dataclass(frozen=True)
class Parts:
    """What a clip is mixed from, [T · hop] in [−1, 1] each; snr_db of the active speech, −∞ without speech."""

    clean: Signal
    noise: Signal
    snr_db: float


def as_met(parts: Parts, config: MixingConfig, rng: np.random.Generator, rate: int = SAMPLE_RATE) -> Parts:
    """The parts, of a network's rate, in one of the kinds, and with pauses, as the shares of `config` have it."""
    if parts.clean.any():
        parts = _another_kind(parts, config, rng)
    if config.pauses and rng.random() < config.pauses:
        parts = replace(parts, clean=with_pause(parts.clean, rng, rate))
    return parts


def with_step(parts: Parts, config: MixingConfig, rng: np.random.Generator, rate: int = SAMPLE_RATE) -> Parts:
    """The parts after a change of the microphone's gain, in the share of clips that `config` has it in."""
    if config.steps and rng.random() < config.steps:
        gain = _step(len(parts.clean), config.step_db, rng, rate)
        parts = replace(parts, clean=parts.clean * gain, noise=parts.noise * gain)
    return parts


def _another_kind(parts: Parts, config: MixingConfig, rng: np.random.Generator) -> Parts:
    """Clean speech, a quiet room or silence in the place of noisy speech, as the dice fall."""
    if config.clean + config.quiet + config.silence == 0:
        return parts
    dice = rng.random()
    if dice < config.clean:
        snr_db = rng.uniform(*config.clean_snr_db)
        return Parts(parts.clean, parts.noise * np.float32(10 ** ((parts.snr_db - snr_db) / 20)), snr_db)
    nothing = np.zeros_like(parts.clean)
    if dice < config.clean + config.quiet:
        return Parts(nothing, _in_steps(parts.noise, np.exp(rng.uniform(*np.log(QUIET_LSB)))), -np.inf)
    return Parts(nothing, nothing, -np.inf) if dice < config.clean + config.quiet + config.silence else parts


def with_pause(speech: Signal, rng: np.random.Generator, rate: int = SAMPLE_RATE) -> Signal:
    """The speech, with a pause put into it; what no longer fits into the clip is dropped."""
    length, hop, fade = round(rng.uniform(*PAUSE_S) * rate), samples_at(rate, HOP), round(FADE_S * rate)
    energy = np.square(speech[: len(speech) // hop * hop]).reshape(-1, hop).sum(axis=1)
    drawn = int(rng.integers(len(energy)))
    first = max(0, drawn - SOFT_FRAMES)
    start = (first + int(energy[first : drawn + SOFT_FRAMES].argmin())) * hop
    before, after = speech[:start].copy(), speech[start:].copy()
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    for edge, gain in ((before[-fade:], ramp[::-1]), (after[:fade], ramp)):
        edge *= gain[: len(edge)]
    return np.concatenate([before, np.zeros(length, np.float32), after])[: len(speech)]


def clipped(noisy: Signal, clean: Signal, rng: np.random.Generator) -> tuple[Signal, Signal, float]:
    """Both driven over full scale and cut off there, and the gain by which they were; not for silence."""
    gain = 10 ** (rng.uniform(*OVERDRIVE_DB) / 20) / float(np.abs(noisy).max())
    return (noisy * np.float32(gain)).clip(-1, 1), (clean * np.float32(gain)).clip(-1, 1), gain


def _step(samples: int, most_db: float, rng: np.random.Generator, rate: int) -> Signal:
    """A gain that changes once, by at most `most_db`, within 10 ms."""
    step_db, at = rng.uniform(-most_db, most_db), rng.integers(samples)
    ramp = ((np.arange(samples) - at) / round(FADE_S * rate)).clip(0, 1)
    return (10 ** (step_db * ramp / 20)).astype(np.float32)


def _in_steps(noise: Signal, lsb: float) -> Signal:
    """The noise at an RMS of so many steps of int16, in whole steps."""
    return (np.round(noise * (lsb / max(rms(noise), 1e-9))) / 32768).astype(np.float32)
