# SPDX-License-Identifier: Apache-2.0
"""Synthetic int16 audio for tests, whole numbers of hops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

HOP = 256
EXTREMES = ("silence", "square", "alternating", "positive_dc", "negative_dc", "impulse", "noise")


def speech_like(frames: int, seed: int = 0, level_dbfs: float = -26.0) -> Pcm:
    """Voiced harmonics with a moving pitch, bursts of noise and pauses, at an RMS of `level_dbfs`."""
    random = np.random.default_rng(seed)
    n = np.arange(frames * HOP)
    pitch = 140 + 40 * np.sin(2 * np.pi * n / 24_000 + random.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    voiced = sum(np.sin(k * phase) / k**1.2 for k in range(1, 30))
    syllables = np.clip(np.sin(2 * np.pi * n / 5_300), 0, None) ** 0.5
    bursts = random.normal(size=len(n)) * (np.sin(2 * np.pi * n / 7_700) > 0.85)
    signal = voiced * syllables + 0.8 * bursts + 1e-3 * random.normal(size=len(n))
    signal *= 10 ** (level_dbfs / 20) / np.sqrt(np.mean(signal**2))
    pcm: Pcm = np.clip(np.round(signal * 32768), -32768, 32767).astype(np.int16)
    return pcm


def extreme(name: str, frames: int) -> Pcm:
    """Inputs at the edge of int16, by the names in EXTREMES."""
    n = np.arange(frames * HOP)
    if name == "noise":
        return np.random.default_rng(0).choice([-32768, 32767], len(n)).astype(np.int16)
    shapes = {
        "silence": 0 * n,
        "square": np.where(n // 40 % 2 == 0, 32767, -32768),
        "alternating": np.where(n % 2 == 0, 32767, -32768),
        "positive_dc": 0 * n + 32767,
        "negative_dc": 0 * n - 32768,
        "impulse": np.where(n == HOP + 100, -32768, 0),
    }
    return shapes[name].astype(np.int16)
