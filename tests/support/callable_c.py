# SPDX-License-Identifier: Apache-2.0
"""C functions called from Python, on this machine and on emulated cores: `kernel("name", array or number, …)`."""

from __future__ import annotations

import ctypes
import os
import selectors
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from arena import lay_out
from libraries import RUNTIME, STRICT
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board
from dyncp.firmware.building.elf import addresses
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.emulators.emulate import CONSOLE, qemu

ARGUMENTS = 12
DENIED = 6
"""What the smallest MPU can do (tests/kernels/serve.c)."""

EDGE = 4096
"""Bytes of memory behind the arrays that no call may touch."""

HANG_S = 60.0


class Functions(ABC):
    """Functions of words and pointers that return a word; arrays are changed in place."""

    alignment = 8
    """Of weights."""

    def __call__(self, name: str, *arguments: NDArray[np.generic] | int) -> int:
        arrays = [a for a in arguments if isinstance(a, np.ndarray)]
        arena = lay_out(arrays, self.end, self.alignment)
        places = iter(arena.addresses)
        words = [next(places) if isinstance(a, np.ndarray) else int(a) for a in arguments]
        result, after = self.invoke(name, words, arena.begin, arena.image)
        arena.take(after, arrays)
        return result

    @property
    @abstractmethod
    def end(self) -> int:
        """The address behind the memory that holds arrays."""

    @abstractmethod
    def invoke(
        self, name: str, words: Sequence[int], begin: int, image: NDArray[np.uint8]
    ) -> tuple[int, NDArray[np.uint8]]:
        """Put `image` at address `begin` and call; returns the result as an int32 and what `image` has become."""


class HostFunctions(Functions):
    """Those of a shared library."""

    def __init__(self, library: Path, capacity: int = 1 << 24) -> None:
        self._library = ctypes.CDLL(str(library))
        self._memory = np.zeros(capacity, np.uint8)

    @property
    def end(self) -> int:
        return (self._memory.ctypes.data + len(self._memory)) // 16 * 16

    def invoke(
        self, name: str, words: Sequence[int], begin: int, image: NDArray[np.uint8]
    ) -> tuple[int, NDArray[np.uint8]]:
        first = begin - self._memory.ctypes.data
        assert first >= 0, "more than the memory holds"
        memory = self._memory[first : first + len(image)]
        memory[:] = image
        result: int = self._library[name](*map(ctypes.c_ssize_t, words))
        return result, memory.copy()


class EmulatedFunctions(Functions):
    """Those of a C file, on the core of `board`: one image that serves call after call through two pipes."""

    def __init__(self, source: Path, server: Path, board: Board, options: Sequence[str], work: Path) -> None:
        """Compile and link in `work`; `options` come after those of the shipped images. Raises ToolchainError."""
        options = (*STRICT, *options)
        functions = compile_source(source, board, work, (*options, *(f"-I{folder}" for folder in RUNTIME)))
        serve = compile_source(server, board, work, options)
        listed = toolchain.run([f"{toolchain.CROSS}gcc-nm", "-gP", "--defined-only", functions])
        names = [line.split()[0] for line in listed.splitlines()]
        # Warnings are the compiler's: clang would warn of what it does not need to link.
        linking = [option for option in options if not option.startswith("-W")]
        self.elf = link(board, (serve, functions), work, [*linking, *(f"-Wl,-u,{name}" for name in names)])
        self._board = board
        self._functions = dict(zip(names, addresses(self.elf, names), strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        self._denied: list[int] = []

    @property
    def end(self) -> int:
        data = self._board.memory.data
        return data.origin + data.length - EDGE

    @contextmanager
    def denied(self, rows: Sequence[int], size: int) -> Iterator[None]:
        """Here a call faults if it touches one of at most DENIED rows of its first argument, a matrix of `size` bytes
        a row, a power of 2 from 32 on."""
        assert len(rows) <= DENIED
        self._denied, self.alignment = [row * size for row in rows], size
        try:
            yield
        finally:
            self._denied, self.alignment = [], Functions.alignment

    def invoke(
        self, name: str, words: Sequence[int], begin: int, image: NDArray[np.uint8]
    ) -> tuple[int, NDArray[np.uint8]]:
        data = self._board.memory.data
        ranges = [(self.end, EDGE), *((words[0] + row, self.alignment) for row in self._denied)]
        numbers = [self._functions[name] | 1, *words, *[0] * (ARGUMENTS - len(words)), begin, len(image)]
        numbers += [data.origin, data.length, len(ranges)]
        numbers += [number for each in ranges for number in each] + [0] * 2 * (1 + DENIED - len(ranges))
        request = np.array([number % 2**32 for number in numbers], "<u4").tobytes() + image.tobytes()
        answer = self._exchange(request, 4 + len(image))
        result = int(np.frombuffer(answer[:4], "<i4")[0])
        return result, np.frombuffer(answer, np.uint8, offset=4)

    def close(self) -> None:
        """End the image: it does when there are no more requests."""
        if self._process is not None:
            os.close(self._requests)
            os.close(self._answers)
            self._process.wait(HANG_S)
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        theirs_in, self._requests = os.pipe()
        self._answers, theirs_out = os.pipe()
        command = qemu(self.elf, self._board, [f"/dev/fd/{theirs_in}", f"/dev/fd/{theirs_out}"])
        started = subprocess.Popen(
            command, cwd=self.elf.parent, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL
        )
        os.close(theirs_in)
        os.close(theirs_out)
        return started

    def _exchange(self, request: bytes, size: int) -> bytes:
        """Raises ToolchainError with what the image said, if it ends or hangs instead of answering."""
        if self._process is None:
            self._process = self._start()
        try:
            left = memoryview(request)
            while left:
                left = left[os.write(self._requests, left) :]
            answer = b""
            with selectors.DefaultSelector() as selector:
                selector.register(self._answers, selectors.EVENT_READ)
                while len(answer) < size:
                    piece = os.read(self._answers, size - len(answer)) if selector.select(HANG_S) else b""
                    if not piece:
                        raise BrokenPipeError
                    answer += piece
        except BrokenPipeError:
            self._process.kill()
            self.close()
            said = (self.elf.parent / CONSOLE).read_text()
            raise ToolchainError(f"{self.elf}: no answer, and {said or 'nothing said'}") from None
        return answer
