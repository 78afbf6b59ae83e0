# SPDX-License-Identifier: Apache-2.0
"""A 16 kHz mono file that is written block by block, and appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dyncp.base.config import SAMPLE_RATE
from dyncp.base.errors import AudioError
from dyncp.base.files import new_file
from dyncp.base.sounds.samples import Pcm

if TYPE_CHECKING:
    from soundfile import SoundFile

SUBTYPE = "PCM_16"


def check_sound_suffix(path: Path) -> str:
    """The format that the suffix names. Raises AudioError for one that does not hold 16-bit samples as they are."""
    import soundfile

    name = path.suffix[1:].upper()
    if not name or not soundfile.check_format(name, SUBTYPE):
        raise AudioError(f"{path}: cannot be written as audio: the suffix names the format; use .wav or .flac")
    return name


@contextmanager
def new_sound(path: Path) -> Iterator[Callable[[Pcm], None]]:
    """Something to call with int16 [n], again and again; the file takes the place of `path` when the block is left.

    Raises AudioError where it cannot be written, and what was there before then stays.
    """
    import soundfile

    form = check_sound_suffix(path)
    total, last = 0, None
    with new_file(path, AudioError) as file:
        try:
            options = {"samplerate": SAMPLE_RATE, "channels": 1, "subtype": SUBTYPE, "format": form}
            with soundfile.SoundFile(file.fileno(), "w", closefd=False, **options) as sound:

                def write(pcm: Pcm) -> None:
                    nonlocal total, last
                    sound.write(pcm)
                    total, last = total + len(pcm), int(pcm[-1]) if len(pcm) else last

                yield write
            # libsndfile does not say why a write falls short, and of the last one not even that it does.
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            with soundfile.SoundFile(file.fileno(), closefd=False) as written:
                complete = written.frames == total and _ends(written, last)
        except (soundfile.LibsndfileError, AssertionError, TypeError) as error:
            raise AudioError(f"{path}: cannot be written as audio: {_reason(file.fileno()) or error}") from None
        if not complete:
            raise AudioError(f"{path}: cannot be written as audio: {_reason(file.fileno()) or 'it was cut short'}")


def _ends(sound: SoundFile, last: int | None) -> bool:
    """Whether the file can be read to its end, and ends with the sample that was written last."""
    if last is None:
        return True
    sound.seek(sound.frames - 1)
    return bool(sound.read(1, dtype="int16").tolist() == [last])


def _reason(descriptor: int) -> str | None:
    """Why a file cannot grow, which libsndfile does not tell: what the system says to one byte more."""
    try:
        os.pwrite(descriptor, b"\0", os.fstat(descriptor).st_size)
    except OSError as error:
        return error.strerror
    return None
