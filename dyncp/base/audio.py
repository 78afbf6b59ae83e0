# SPDX-License-Identifier: Apache-2.0
"""Audio in memory: mono int16, from files and to files, at 16 kHz or a network's rate.

A wrong file is an error, never silently resampled.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP, SAMPLE_RATE, Framing, samples_at
from dyncp.base.errors import AudioError
from dyncp.base.sounds.samples import FLOATS, SampleCheck
from dyncp.base.sounds.samples import Pcm as Pcm
from dyncp.base.sounds.samples import to_pcm as to_pcm
from dyncp.base.sounds.sink import new_sound
from dyncp.base.sounds.source import opened

SUFFIXES = frozenset({".wav", ".flac", ".ogg"})


def read_pcm(path: Path, rate: int = SAMPLE_RATE) -> Pcm:
    """A mono file of this rate as int16 [samples]. Raises AudioError naming the file, the fault and the remedy."""
    with opened(path) as sound:
        if sound.samplerate != rate:
            remedy = " (a corpus: with `dyncp corpus`)" if rate == SAMPLE_RATE else ", the network's rate"
            raise AudioError(f"{path}: sample rate is {sound.samplerate} Hz; resample to {rate} Hz first{remedy}")
        if sound.channels != 1:
            raise AudioError(f"{path}: has {sound.channels} channels; mix down to one first")
        if sound.subtype == "PCM_16":
            pcm: Pcm = sound.read(dtype="int16")
        else:
            data = sound.read(dtype="float64", always_2d=True)
            check = SampleCheck()
            check.add(data)
            if sound.subtype not in FLOATS:
                check.beyond = 0
            check.judge(path)
            pcm = to_pcm(data[:, 0])
    if len(pcm) == 0:
        raise AudioError(f"{path}: holds no samples")
    return pcm


def write_pcm(path: Path, pcm: Pcm, rate: int = SAMPLE_RATE) -> None:
    """int16 [samples] as a mono file, whole or not at all; the suffix chooses WAV or FLAC. Raises AudioError."""
    with new_sound(path, rate) as write:
        write(pcm)


def pad_to_hop(pcm: Pcm, extra_hops: int = 0, hop: int = HOP) -> Pcm:
    """Zeros at the end up to a multiple of the hop, and `extra_hops` hops more."""
    return np.pad(pcm, (0, -len(pcm) % hop + extra_hops * hop))


def pad_to_the_end(pcm: Pcm, framing: Framing) -> Pcm:
    """The same with as many hops more as bring the end of the delayed output: their frames are no result."""
    return pad_to_hop(pcm, framing.overlaps - 1, framing.hop)


def rms(signal: NDArray[np.floating]) -> float:
    """RMS over all of a signal; 0 of none."""
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64)))) if signal.size else 0.0


def active_rms(signal: NDArray[np.floating], rate: int = SAMPLE_RATE) -> float:
    """RMS over the active 16 ms windows: those within 30 dB of the loudest. 0 for silence."""
    hop = samples_at(rate, HOP)
    frames = signal[: len(signal) // hop * hop].reshape(-1, hop)
    energy = np.mean(np.square(frames, dtype=np.float64), axis=1)
    if energy.size == 0 or energy.max() <= 0:
        return 0.0
    return float(np.sqrt(energy[energy > energy.max() * 1e-3].mean()))
