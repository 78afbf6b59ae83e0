# SPDX-License-Identifier: Apache-2.0
"""An audio file of any rate and any number of channels as mono int16 of one rate, block by block, only when asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import AudioError
from dyncp.base.sounds.samples import FLOATS, Pcm, SampleCheck, to_pcm

if TYPE_CHECKING:
    from soundfile import SoundFile

RATES = (1000, 768_000)
"""Sample rates that are resampled, Hz."""

# Numbers that one read brings into memory, over all channels.
READ = 1 << 18


class Source:
    """What is to be heard, and what has to be done to it. `saturated` counts samples, once all blocks were read."""

    def __init__(self, path: Path, resample: bool = False, mono: bool = False, wanted: int = SAMPLE_RATE) -> None:
        """Heard at `wanted` Hz. Opens nothing for long.

        Raises AudioError, naming fault and remedy, for a file that cannot be used as asked.

        A float file is read through once: numbers that are not finite, or beyond ±1, are found before work begins.
        """
        self.path, self.wanted = path, wanted
        with opened(path) as sound:
            self.rate, self.channels, self.frames = int(sound.samplerate), int(sound.channels), int(sound.frames)
            self._exact = sound.subtype == "PCM_16" and self.rate == wanted and self.channels == 1
            self._check(resample, mono)
            if sound.subtype in FLOATS:
                check = SampleCheck()
                for block in _reads(sound, "float64"):
                    check.add(block)
                check.judge(path)
        self.saturated = 0

    def _check(self, resample: bool, mono: bool) -> None:
        if self.frames == 0:
            raise AudioError(f"{self.path}: holds no samples")
        missing = []
        if self.rate != self.wanted and not resample:
            missing.append(f"--resample would convert its {self.rate} Hz to {self.wanted} Hz")
        if self.channels != 1 and not mono:
            missing.append(f"--mono would average its {self.channels} channels")
        if missing:
            raise AudioError(f"{self.path}: is not {self.wanted} Hz mono; {', and '.join(missing)}")
        if not RATES[0] <= self.rate <= RATES[1]:
            raise AudioError(f"{self.path}: its {self.rate} Hz cannot be resampled, only {RATES[0]} to {RATES[1]} Hz")

    @property
    def seconds(self) -> float:
        return self.frames / self.rate

    @property
    def changes(self) -> list[str]:
        """What is done to the file's samples, to be told to the user; nothing for mono of that rate."""
        done = []
        if self.channels != 1:
            done.append(f"{self.channels} channels averaged")
        if self.rate != self.wanted:
            done.append(f"{self.rate} Hz resampled to {self.wanted} Hz (soxr, very high quality)")
        return done

    def blocks(self, samples: int) -> Iterator[Pcm]:
        """All of it, int16 [samples] each, the last one shorter. Raises AudioError where reading fails."""
        waiting: list[Pcm] = []
        held = 0
        for piece in self._pieces():
            waiting.append(piece)
            held += len(piece)
            if held >= samples:
                joined = np.concatenate(waiting)
                whole = held // samples * samples
                yield from np.split(joined[:whole], range(samples, whole, samples))
                waiting, held = [joined[whole:]], held - whole
        if held:
            yield np.concatenate(waiting)

    def _pieces(self) -> Iterator[Pcm]:
        with opened(self.path) as sound:
            if self._exact:
                for block in _reads(sound, "int16"):
                    yield block[:, 0]
                return
            averaged = (block.mean(axis=1) for block in self._finite(sound))
            for signal in averaged if self.rate == self.wanted else self._resampled(averaged):
                self.saturated += int((np.abs(signal) > 1).sum())
                yield to_pcm(signal)

    def _finite(self, sound: SoundFile) -> Iterator[NDArray[np.float64]]:
        for block in _reads(sound, "float64"):
            if not np.isfinite(block).all():
                raise AudioError(f"{self.path}: holds samples that are not finite numbers")
            yield block

    def _resampled(self, pieces: Iterator[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
        import soxr

        stream = soxr.ResampleStream(self.rate, self.wanted, 1, dtype="float64", quality="VHQ")
        for piece in pieces:
            yield stream.resample_chunk(np.ascontiguousarray(piece))
        yield stream.resample_chunk(np.zeros(0), last=True)


@contextmanager
def opened(path: Path) -> Iterator[SoundFile]:
    """The file, to be read. Raises AudioError, naming it, also for what goes wrong while it is read."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as sound:
            yield sound
    except (soundfile.LibsndfileError, OSError, ValueError) as error:
        raise AudioError(f"{path}: cannot be read as audio: {error}") from None


def _reads(sound: SoundFile, dtype: str) -> Iterator[NDArray[Any]]:
    """Blocks [n, channels] until the end."""
    frames = max(1, READ // sound.channels)
    while len(block := sound.read(frames, dtype=dtype, always_2d=True)):
        yield block
