# SPDX-License-Identifier: Apache-2.0
"""The host's side of firmware/app/semihosting.h, for emulators that have none of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

MODES = {1: "rb", 5: "wb"}
FAILED = -1


class Host:
    """Serves the calls of one run of a 32-bit image, which sees the files of `folder` under their bare names.

    A context manager, which closes what the image left open.
    """

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[str],
        read: Callable[[int, int], bytes | bytearray],
        write: Callable[[int, bytes], object],
    ) -> None:
        self.status: int | None = None
        """What the image exited with; None until then."""
        self._folder, self._arguments = folder, " ".join(arguments).encode() + b"\0"
        self._memory, self._store = read, write
        self._files: list[BinaryIO] = []
        self._printed = bytearray()
        self._operations: dict[int, Callable[[int], int]] = {
            0x01: self._open,
            0x02: self._close,
            0x04: self._print,
            0x05: self._write,
            0x06: self._read,
            0x15: self._command_line,
            0x20: self._exit,
        }

    @property
    def printed(self) -> str:
        return self._printed.decode(errors="replace")

    def call(self, operation: int, block: int) -> int:
        """Result of an operation with its parameter block at the address `block`; −1 for one that is not known."""
        serve = self._operations.get(operation)
        return FAILED if serve is None else serve(block)

    def __enter__(self) -> Host:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def _words(self, address: int, count: int) -> list[int]:
        words: list[int] = np.frombuffer(bytes(self._memory(address, 4 * count)), "<u4").tolist()
        return words

    def _open(self, block: int) -> int:
        name, mode, length = self._words(block, 3)
        path = self._folder / bytes(self._memory(name, length)).decode()
        try:
            self._files.append(path.open(MODES[mode]))  # type: ignore[arg-type]
        except (KeyError, OSError):
            return FAILED
        return len(self._files)

    def _file(self, handle: int) -> BinaryIO:
        return self._files[handle - 1]

    def _close(self, block: int) -> int:
        self._file(*self._words(block, 1)).close()
        return 0

    def _write(self, block: int) -> int:
        handle, data, size = self._words(block, 3)
        return size - self._file(handle).write(bytes(self._memory(data, size)))

    def _read(self, block: int) -> int:
        handle, data, size = self._words(block, 3)
        found = self._file(handle).read(size)
        self._store(data, found)
        return size - len(found)

    def _print(self, address: int) -> int:
        while (character := bytes(self._memory(address, 1))) != b"\0":
            self._printed += character
            address += 1
        return 0

    def _command_line(self, block: int) -> int:
        line, size = self._words(block, 2)
        if len(self._arguments) > size:
            return FAILED
        self._store(line, self._arguments)
        return 0

    def _exit(self, block: int) -> int:
        _reason, self.status = self._words(block, 2)
        return 0
