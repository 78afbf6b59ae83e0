# SPDX-License-Identifier: Apache-2.0
"""A network in integers, ready to enhance: by the generated C where this machine has a compiler, else by NumPy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from dyncp.api.result import Result, empty_run, make_result
from dyncp.api.sound import as_dtype, as_pcm, both_ways, check_rate, checked
from dyncp.api.stream import Stream
from dyncp.base.audio import pad_to_the_end
from dyncp.base.errors import ToolchainError
from dyncp.base.paths import find_bundle
from dyncp.export.formats.bundle import Bundle, read_bundle, write_bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run
from dyncp.firmware.host.compiler import find_compiler
from dyncp.firmware.host.library import HostLibrary, host_library

if TYPE_CHECKING:
    from dyncp.api.probe import MaskProbe

Engine = Literal["c", "numpy"]


def load(network: str | os.PathLike[str], engine: Engine | None = None) -> Network:
    """A shipped network by its name (`dyncp networks`), or the bundle in a folder.

    `engine` is what computes: `c`, the generated library, or `numpy`, the reference; both give the same bits. By
    default it is C where a compiler is found. Raises BundleError where there is no such network.
    """
    folder = find_bundle(Path(network))
    return Network(read_bundle(folder), str(network), engine)


class Network:
    """Made by `load`. Streams and arrays of one network share its library."""

    def __init__(self, bundle: Bundle, name: str, engine: Engine | None = None) -> None:
        self.bundle = bundle
        """Every integer of the network, and its probes."""
        self.name = name
        self._library: HostLibrary | None = None
        self.engine: Engine = engine or _available()
        """What computes."""

    @property
    def rate(self) -> int:
        """Of the network itself, Hz; other rates are converted."""
        return self.bundle.config.sample_rate

    @property
    def delay(self) -> int:
        """Samples at its own rate by which a device's output lags, its hop aside. Here it is taken away."""
        return self.bundle.config.framing.delay

    @property
    def hash(self) -> str:
        """sha256 of what the device computes."""
        return self.bundle.hash

    @property
    def signals(self) -> dict[str, str]:
        """Name → unit."""
        return {task.name: task.unit for task in (self.bundle.probes.tasks if self.bundle.probes else [])}

    @property
    def macs(self) -> tuple[int, int]:
        """Multiply–accumulates of a frame: the fewest and the most."""
        return self.bundle.config.least_macs, self.bundle.config.most_macs

    def __repr__(self) -> str:
        least, most = self.macs
        return (
            f"<Network {self.name}: {least:,} to {most:,} MACs per frame, signals {', '.join(self.signals) or 'none'}>"
        )

    def enhance(self, samples: ArrayLike, rate: int | None = None) -> Result:
        """Enhance one channel of any length: int16, or float within ±1; the result has its length, rate and dtype.

        `rate` is that of the samples, by default the network's.

        Raises AudioError for samples that cannot be used, with the remedy.
        """
        array, rate = checked(samples), check_rate(self.rate if rate is None else rate)
        if len(array) == 0:
            return make_result(self.bundle, empty_run(self.bundle), array.copy(), rate)
        before, after = both_ways(rate, self.rate)
        pcm = as_pcm(before(array, last=True))
        framing = self.bundle.config.framing
        run = self._run(pad_to_the_end(pcm, framing))
        audio = after(run.output[self.delay : self.delay + len(pcm)], last=True)[: len(array)]
        # Conversion to and fro may round a sample off.
        audio = np.pad(audio, (0, len(array) - len(audio)))
        return make_result(
            self.bundle, run.part(0, run.frames - framing.overlaps + 1), as_dtype(audio, array.dtype), rate
        )

    def stream(self, rate: int | None = None, dtype: DTypeLike = np.float32) -> Stream:
        """A new stream for sound that comes in pieces, by default of the network's rate.

        Needs a C compiler: raises ToolchainError without.
        """
        return Stream(self.bundle, self._compiled().stream(), self.rate if rate is None else rate, dtype)

    def with_probes(self, probes: Sequence[MaskProbe]) -> Network:
        """The same network with these fitted probes beside its own; those of the same name are replaced."""
        from dyncp.api.probe import added

        merged = replace(self.bundle, probes=added(self.bundle, probes))
        merged.hash = merged.identity
        return Network(merged, self.name, self.engine)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the bundle, which `dyncp generate` and all other commands take. A bundle there is replaced."""
        write_bundle(self.bundle, Path(folder))

    def _run(self, pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Run:
        return reference.run(self.bundle, pcm) if self.engine == "numpy" else self._compiled().run(pcm)

    def _compiled(self) -> HostLibrary:
        if self._library is None:
            # The loaded library outlives the folder that it was generated into.
            with host_library(self.bundle) as library:
                self._library = library
        return self._library


def _available() -> Engine:
    try:
        find_compiler()
    except ToolchainError:
        return "numpy"
    return "c"
