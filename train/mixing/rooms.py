# SPDX-License-Identifier: Apache-2.0
"""Clips as they are heard in a room: shoeboxes whose impulse responses pyroomacoustics computes by image sources.

What a network is to keep of a talker are the direct sound and the reflections of the 50 ms after it, which listeners
hear as one with it (C50 of ISO 3382-1); later ones are noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import active_rms, rms
from dyncp.train.corpora.recordings import Split
from dyncp.train.mixing.everyday import Parts

Signal = NDArray[np.float32]

# Rooms of a split: no two splits share one.
COUNT = 32
SEEDS: dict[Split, int] = {"train": 201, "validation": 202, "test": 203}
# From a small office to a living room, m; the reverberation time asked of Sabine's formula.
SMALLEST, LARGEST = (3.0, 3.0, 2.4), (8.0, 6.0, 3.5)
RT60_S = (0.15, 0.5)
# Talker, noises and microphone stay this share of the room's size away from its walls.
MARGIN = 0.15
NOISES = 2
EARLY_S = 0.05


@dataclass(frozen=True)
class Room:
    """Impulse responses of one microphone, of the rate they were made for.

    The talker's direct sound is at `direct`; `early` ends 50 ms later, and `late` is the rest, at its place.
    """

    early: Signal
    late: Signal
    direct: int
    noises: tuple[Signal, ...]


def rooms(share: float, split: Split, rate: int) -> tuple[Room, ...]:
    """The rooms of a split, always the same ones; none where the share of clips that are heard in one is 0.

    Making them takes some 10 s. Raises ModuleNotFoundError without pyroomacoustics, which the extra `rooms` brings.
    """
    return _rooms(split, rate) if share else ()


def in_a_room(parts: Parts, choice: Sequence[Room], rng: np.random.Generator, rate: int) -> Parts:
    """Speech and noise as they reach the microphone of one of the rooms.

    The early speech has the active level that the dry speech had, and the noise its RMS: `snr_db` is that of early
    speech to noise, before late reflections join the noise.
    """
    room = choice[int(rng.integers(len(choice)))]
    early, late = (_heard(parts.clean, response, room.direct) for response in (room.early, room.late))
    gain = np.float32(active_rms(parts.clean, rate) / max(active_rms(early, rate), 1e-9))
    noise = _heard(parts.noise, room.noises[int(rng.integers(NOISES))])
    noise *= np.float32(rms(parts.noise) / max(rms(noise), 1e-9))
    return replace(parts, clean=early * gain, noise=noise + late * gain)


@cache
def _rooms(split: Split, rate: int) -> tuple[Room, ...]:
    rng = np.random.default_rng(SEEDS[split])
    return tuple(_room(rng, rate) for _ in range(COUNT))


def _room(rng: np.random.Generator, rate: int) -> Room:
    import pyroomacoustics as pra

    size, rt60 = rng.uniform(SMALLEST, LARGEST), rng.uniform(*RT60_S)
    absorption, order = pra.inverse_sabine(rt60, size)
    room = pra.ShoeBox(size, fs=rate, materials=pra.Material(absorption), max_order=order)
    microphone, *sources = rng.uniform(MARGIN, 1 - MARGIN, (2 + NOISES, 3)) * size
    room.add_microphone(microphone)
    for source in sources:
        room.add_source(source)
    room.compute_rir()
    talker, *noises = (np.asarray(response, dtype=np.float32) for response in room.rir[0])
    # Responses begin with half the filter of a fractional delay. What is before the direct sound's comes of filtering
    # to and fro above 10 Hz.
    way, half = float(np.linalg.norm(sources[0] - microphone)), pra.constants.get("frac_delay_length") // 2
    direct = round(way / room.c * rate) + half
    talker[: max(0, direct - half - 1)] = 0
    split = direct + round(EARLY_S * rate)
    late = talker.copy()
    late[:split] = 0
    return Room(talker[:split], late, direct, tuple(noises))


def _heard(signal: Signal, response: Signal, start: int = 0) -> Signal:
    """The signal through the response, from its sample `start` on, as long as the signal."""
    # As long to import as all of training's own modules, and needed for rooms alone.
    from scipy.signal import oaconvolve

    through: Signal = oaconvolve(np.pad(signal, (0, start)), response)
    return through[start : start + len(signal)].astype(np.float32)
