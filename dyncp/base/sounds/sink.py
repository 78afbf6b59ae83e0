# SPDX-License-Identifier: Apache-2.0
"""A mono file that is written block by block, and appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import AudioError
from dyncp.base.files import new_file
from dyncp.base.sounds.samples import Pcm

Result = TypeVar("Result")

SUBTYPE = "PCM_16"


def check_sound_suffix(path: Path) -> str:
    """The format that the suffix names. Raises AudioError for one that does not hold 16-bit samples as they are."""
    import soundfile

    name = path.suffix[1:].upper()
    if not name or not soundfile.check_format(name, SUBTYPE):
        raise AudioError(f"{path}: cannot be written as audio: the suffix names the format; use .wav or .flac")
    return name


@contextmanager
def new_sound(path: Path, rate: int = SAMPLE_RATE) -> Iterator[Callable[[Pcm], None]]:
    """Something to call with int16 [n], again and again; the file takes the place of `path` when the block is left.

    Raises AudioError where it cannot be written, and what was there before then stays.
    """
    import soundfile

    form = check_sound_suffix(path)
    with new_file(path, AudioError) as file:
        guarded = _Guarded(file)
        try:
            options = {"samplerate": rate, "channels": 1, "subtype": SUBTYPE, "format": form}
            with soundfile.SoundFile(guarded, "w", **options) as sound:
                yield sound.write
        except (soundfile.LibsndfileError, AssertionError, TypeError) as error:
            raise guarded.fault or AudioError(f"{path}: cannot be written as audio: {error}") from None
        if guarded.fault is not None:
            raise guarded.fault


class _Guarded:
    """The file as libsndfile sees it: the library lets some failed writes pass, among them the last; they are kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.fault: OSError | None = None

    def read(self, count: int = -1) -> bytes:
        return self._kept(lambda: self._file.read(count), b"")

    def write(self, data: bytes) -> int:
        return self._kept(lambda: self._file.write(data), 0)

    def seek(self, offset: int, whence: int = 0) -> int:
        # Writes what is buffered, and fails where that does.
        return self._kept(lambda: self._file.seek(offset, whence), -1)

    def tell(self) -> int:
        return self._kept(self._file.tell, -1)

    def _kept(self, call: Callable[[], Result], failed: Result) -> Result:
        try:
            return call()
        except OSError as fault:
            self.fault = self.fault or fault
            return failed
