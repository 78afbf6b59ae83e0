# SPDX-License-Identifier: Apache-2.0
"""Faults in the runtime's C: libraries of few networks are generated once; of each fault they are compiled one after
the other, and run in a forked child, until a word differs from the reference.

Where the compiler makes the same code of a fault, nothing could differ, and nothing is run.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.bench.mutants.mutant import Mutant
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run
from dyncp.firmware.host.build import build_host
from dyncp.firmware.host.library import HostLibrary

Kernels = Literal["PORTABLE", "DSP"]
KINDS: tuple[Kernels, ...] = ("PORTABLE", "DSP")
Outcome = Literal["noticed", "same code", "not noticed"]
LIMIT_S = 30
"""Of a run, in processor time, which takes a tenth of a second: longer is a loop that does not end."""


@dataclass
class Build:
    """A network's library, compiled with kernels of one kind."""

    library: Path
    kernels: Kernels
    audio: NDArray[np.int16]
    expected: Run
    flags: tuple[str, ...] = ("-O1",)
    code: bytes = b""
    """Without a fault."""
    noticed: int = 0

    def compile(self, folder: Path) -> Path:
        """Raises ToolchainError as the compiler does."""
        flags = (*self.flags, f"-DDYNCP_{self.kernels}")
        return build_host(self.library, trace=True, flags=flags, build_dir=folder)

    def wrong(self, folder: Path) -> bool:
        """Whether a word of what was compiled into `folder` differs, or the run fails or does not end."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                signal.signal(signal.SIGPROF, signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, 2)
                flags = (*self.flags, f"-DDYNCP_{self.kernels}")
                host = HostLibrary(self.library, trace=True, flags=flags, build_dir=folder)
                status = int(not same(self.expected, host.run(self.audio, trace=True)))
            finally:
                os._exit(status)
        return os.waitpid(child, 0)[1] != 0


class CTests:
    """Builds of a few networks with both kinds of kernels, below `folder`."""

    def __init__(self, networks: Mapping[str, tuple[Bundle, NDArray[np.int16]]], folder: Path) -> None:
        """Raises ToolchainError where a build without a fault is wrong."""
        self.folder, self.builds = folder, list[Build]()
        for name, (bundle, audio) in networks.items():
            library = generate(bundle, folder / name.replace(" ", "-"))
            expected = reference.run(bundle, audio, trace=True)
            self.builds += [Build(library, kernels, audio, expected) for kernels in KINDS]
        for number, build in enumerate(self.builds):
            build.code = build.compile(folder / f"without-{number}").read_bytes()
            if build.wrong(folder / f"without-{number}"):
                raise ToolchainError(f"without any fault, {build.library.name} with {build.kernels} is wrong")

    def judge(self, header: str, mutant: Mutant, scratch: Path) -> Outcome:
        """What becomes of a fault in the header of that name; the best builds are tried first."""
        outcome: Outcome = "same code"
        for number, build in enumerate(sorted(self.builds, key=lambda build: -build.noticed)):
            place = scratch / str(number)
            with in_place(build.library / header, mutant.source):
                try:
                    code = build.compile(place).read_bytes()
                except ToolchainError:
                    # What no compiler takes is noticed.
                    return "noticed"
                if code == build.code:
                    continue
                outcome = "not noticed"
                if build.wrong(place):
                    build.noticed += 1
                    return "noticed"
        return outcome


@contextmanager
def in_place(path: Path, text: str) -> Iterator[None]:
    """Another text in a file for a while."""
    before = path.read_bytes()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(before)


def same(expected: Run, actual: Run) -> bool:
    """All words of all stages."""
    names = ("output", "masks", "words", "signals", "macs", "active")
    pairs = [(getattr(expected, name), getattr(actual, name)) for name in names]
    pairs += [(expected.trace[name], actual.trace[name]) for name in expected.trace]
    return all(np.array_equal(*pair) for pair in pairs)
