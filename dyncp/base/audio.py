# SPDX-License-Identifier: Apache-2.0
"""Audio files in and out: 16 kHz mono, int16 in memory. A wrong file is an error, never silently resampled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config import HOP, SAMPLE_RATE
from dyncp.base.errors import AudioError

Pcm = NDArray[np.int16]

SUFFIXES = frozenset({".wav", ".flac", ".ogg"})


def read_pcm(path: Path) -> Pcm:
    """A 16 kHz mono file as int16 [samples]. Raises AudioError naming the file, the fault and the remedy."""
    import soundfile

    try:
        data, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{path}: cannot be read as audio: {error}") from None
    if rate != SAMPLE_RATE:
        raise AudioError(
            f"{path}: sample rate is {rate} Hz; resample to {SAMPLE_RATE} Hz first (a corpus: with `dyncp corpus`)"
        )
    if data.shape[1] != 1:
        raise AudioError(f"{path}: has {data.shape[1]} channels; mix down to one first")
    if data.shape[0] == 0:
        raise AudioError(f"{path}: holds no samples")
    if not np.isfinite(data).all():
        raise AudioError(f"{path}: holds samples that are not finite numbers")
    return to_pcm(data[:, 0])


def to_pcm(signal: NDArray[np.floating]) -> Pcm:
    """Signal in [−1, 1) to int16, rounded and saturated."""
    return np.clip(np.round(signal * 32768.0), -32768, 32767).astype(np.int16)


def write_pcm(path: Path, pcm: Pcm) -> None:
    """int16 [samples] as a 16 kHz mono file; the suffix chooses WAV or FLAC."""
    import soundfile

    try:
        soundfile.write(path, pcm, SAMPLE_RATE, subtype="PCM_16")
    except (soundfile.LibsndfileError, OSError, TypeError, ValueError) as error:
        raise AudioError(f"{path}: cannot be written as audio: {error}; use .wav or .flac") from None


def pad_to_hop(pcm: Pcm, extra_hops: int = 0) -> Pcm:
    """Zeros at the end up to a multiple of the hop, and `extra_hops` hops more."""
    return np.pad(pcm, (0, -len(pcm) % HOP + extra_hops * HOP))


def active_rms(signal: NDArray[np.floating]) -> float:
    """RMS over the active 16 ms windows: those within 30 dB of the loudest. 0 for silence."""
    frames = signal[: len(signal) // HOP * HOP].reshape(-1, HOP)
    energy = np.mean(np.square(frames, dtype=np.float64), axis=1)
    if energy.size == 0 or energy.max() <= 0:
        return 0.0
    return float(np.sqrt(energy[energy > energy.max() * 1e-3].mean()))
