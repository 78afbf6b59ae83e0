# SPDX-License-Identifier: Apache-2.0
"""The generated C on the host, called from Python: the same library that goes into the firmware, bit for bit."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.codegen.generate import generate, read_library
from dyncp.codegen.plan.stages import Stage, stages
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.probe_set import deciding
from dyncp.export.integers.controls import Settings
from dyncp.export.integers.run import Run, hops
from dyncp.firmware.host.build import Compiler, build_host
from dyncp.firmware.host.cache import usable_cache

__all__ = ["HostLibrary", "Stream", "build_host", "host_library"]


class HostLibrary:
    """A generated library, compiled for the host and loaded."""

    def __init__(
        self,
        library: Path,
        prefix: str = "dyncp",
        trace: bool = False,
        compiler: Compiler | None = None,
        flags: Sequence[str] = ("-O3",),
        build_dir: Path | None = None,
    ) -> None:
        """Compile the folder `library` of `dyncp generate`, or take it from the cache.

        Only a library made with `trace` can show its stages; it is slower. Raises GenerationError for a folder
        that holds no such library, ToolchainError if the compiler is missing or fails.
        """
        self.description = read_library(library, prefix)
        self.config = self.description.network
        self.tasks = self.description.tasks
        self.outputs = sum(task.outputs for task in self.tasks)
        self.deciding = deciding(self.tasks)
        self.stages: list[Stage] = stages(self.config, self.outputs) if trace else []
        self.path = build_host(library, prefix, compiler, flags, trace, build_dir)
        self._c = ctypes.CDLL(str(self.path))
        self._c.bridge_state_bytes.restype = ctypes.c_size_t
        self._c.bridge_run.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_void_p] * 9, ctypes.c_size_t]
        self._c.bridge_init.argtypes = [ctypes.c_void_p]
        for name in ("bridge_set", "bridge_get", "bridge_gains", "bridge_decisions"):
            getattr(self._c, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self._c.bridge_gains.restype = ctypes.c_size_t
        self._c.bridge_set_cap.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32]

    def run(self, pcm: NDArray[np.int16], trace: bool = False) -> Run:
        """Enhance int16 PCM [n · hop] from the initial state.

        With `trace`, every stage is kept, [n, count]. Raises AudioError for audio that is not a positive whole
        number of hops, and ValueError for a trace of a library that was made without.
        """
        return self.stream().run(pcm, trace)

    def stream(self) -> Stream:
        """A new stream, independent of all others."""
        return Stream(self)


@contextmanager
def host_library(bundle: Bundle, trace: bool = False) -> Iterator[HostLibrary]:
    """The library of `bundle`, generated and compiled or taken from the cache; raises as those steps do."""
    with tempfile.TemporaryDirectory(prefix="dyncp-") as folder:
        build_dir = usable_cache() or Path(folder) / "build"
        yield HostLibrary(generate(bundle, Path(folder) / "library"), trace=trace, build_dir=build_dir)


class Stream:
    """One state of the library: audio that comes in pieces."""

    def __init__(self, library: HostLibrary) -> None:
        self._library = library
        # Words, for the alignment that the state needs.
        self._state = np.zeros(library._c.bridge_state_bytes() // 4, dtype=np.uint32)
        self.reset()

    def reset(self) -> None:
        """Back to the initial state, and to the cap that the library was generated with."""
        self._check(self._library._c.bridge_init(self._state.ctypes.data))

    def set_cap(self, per_block: int, per_frame: int) -> None:
        """From the next frame on, at most so many active channels in every block and in a frame."""
        self._check(self._library._c.bridge_set_cap(self._state.ctypes.data, per_block, per_frame))

    def set_controls(self, settings: Settings) -> None:
        """From the next frame on (docs/controls.md); decisions of tasks that the library does not have do nothing.

        Raises ToolchainError for a setting out of its range.
        """
        words = settings.words(self._library.deciding)
        self._check(self._library._c.bridge_set(self._state.ctypes.data, words.ctypes.data))

    def controls(self) -> Settings:
        """The settings as the library tells them."""
        deciding = self._library.deciding
        words = np.zeros(len(Settings().words(deciding)), np.int32)
        self._check(self._library._c.bridge_get(self._state.ctypes.data, words.ctypes.data))
        return Settings.of(words, deciding)

    def gains(self) -> NDArray[np.uint16]:
        """What the last frame was multiplied with, by bin or band, Q15."""
        gains = np.empty(self._library._c.bridge_gains(self._state.ctypes.data, None), np.uint16)
        self._library._c.bridge_gains(self._state.ctypes.data, gains.ctypes.data)
        return gains

    def decisions(self) -> NDArray[np.uint32]:
        """What was decided in the last frame: of each of `HostLibrary.deciding` 0 or 1, or a class."""
        told = np.zeros(len(self._library.deciding), np.uint32)
        self._library._c.bridge_decisions(self._state.ctypes.data, told.ctypes.data)
        return told

    def process(self, block: NDArray[np.int16]) -> NDArray[np.int16]:
        """Enhance the next int16 PCM [n · hop]; the output [n · hop] lags by the delay."""
        return self.run(block).output

    def run(
        self, pcm: NDArray[np.int16], trace: bool = False, given: tuple[NDArray[np.uint8], int] | None = None
    ) -> Run:
        """As `HostLibrary.run`, from where the stream stands.

        With `given`, frames are constructed: their records, and the bytes in each that stages go on with, the first
        ones, in place of what they computed (firmware/constants). Only a library that was made with `trace` takes them.
        """
        library = self._library
        if (trace or given is not None) and not library.stages:
            raise ValueError("this library was made without trace: HostLibrary(…, trace=True)")
        samples = np.ascontiguousarray(hops(pcm, library.config.hop))
        frames = len(samples)
        output = np.empty_like(samples)
        masks = np.empty((frames, library.config.mask_words), dtype=np.uint32)
        words, signals = np.empty((2, frames, library.outputs), dtype=np.int32)
        macs, active = np.empty((2, frames), dtype=np.uint32)
        record = np.empty((frames, sum(s.bytes for s in library.stages)) if trace else (0, 0), dtype=np.uint8)
        arrays: list[NDArray[np.generic]] = [samples, output, masks, words, signals, macs, active]
        self._check(
            library._c.bridge_run(
                self._state.ctypes.data,
                frames,
                *[array.ctypes.data for array in arrays],
                record.ctypes.data if trace else None,
                None if given is None else given[0].ctypes.data,
                0 if given is None else given[1],
            )
        )
        return Run(
            output.reshape(-1),
            masks,
            words,
            signals,
            macs.astype(np.int64),
            active.astype(np.int64),
            split_trace(record, library.stages) if trace else {},
        )

    def _check(self, status: int) -> None:
        if status != 0:
            raise ToolchainError(f"{self._library.path}: status {status}; the library and its state do not match")


def split_trace(record: NDArray[np.uint8], layout: Sequence[Stage]) -> dict[str, NDArray[np.generic]]:
    """A trace of all stages, uint8 [n, bytes per frame], to the values of each stage, [n, count]."""
    trace: dict[str, NDArray[np.generic]] = {}
    start = 0
    for stage in layout:
        part = np.ascontiguousarray(record[:, start : start + stage.bytes])
        trace[stage.name] = part.view(np.dtype(stage.dtype).newbyteorder("<")).astype(stage.dtype)
        start += stage.bytes
    return trace
