# SPDX-License-Identifier: Apache-2.0
"""Faults in the runtime's C: libraries of few networks are generated once; of each fault they are compiled one after
the other, and run in a forked child, until a word differs from the reference: with nothing set, and under settings that
change from frame to frame.

Where the compiler makes the same code of a fault, nothing could differ, and nothing is run.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.bench.mutants.mutant import Mutant
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.controls import Decision, Settings
from dyncp.export.integers.run import Run
from dyncp.firmware.host.build import build_host
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.product.controls import Controlled, controlled, on_host

Kernels = Literal["PORTABLE", "DSP"]
KINDS: tuple[Kernels, ...] = ("PORTABLE", "DSP")
Outcome = Literal["noticed", "same code", "not noticed"]
LIMIT_S = 30
"""Of a run, in processor time, which takes a tenth of a second: longer is a loop that does not end."""
ENDS = {"limit": (0, 96), "strength": (0, 200), "attack": (1, 99), "release": (1, 99)}
"""Of settings that change something."""


@dataclass
class Build:
    """A network's library, compiled with kernels of one kind."""

    library: Path
    kernels: Kernels
    audio: NDArray[np.int16]
    expected: Run
    controlled: Controlled
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
                right = same(self.expected, host.run(self.audio, trace=True)) and on_host(host, self.controlled) == 0
                status = int(not (right and refuses(host)))
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
            under_settings = controlled(bundle, audio, changing(bundle, expected))
            self.builds += [Build(library, kernels, audio, expected, under_settings) for kernels in KINDS]
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


def changing(bundle: Bundle, run: Run) -> list[Settings]:
    """Settings for each frame of `run`: every control alone, then all of them, each for a few frames; and levels that
    scores of the frame just meet, or just do not."""
    random = np.random.default_rng(0)
    settings: list[Settings] = []
    while len(settings) < run.frames:
        drawn: dict[str, Any] = {
            name: int(random.choice(np.array([*ends, random.integers(*ends)]))) for name, ends in ENDS.items()
        }
        for some in (*({name: value} for name, value in drawn.items()), drawn):
            settings += [Settings(**some)] * int(random.integers(1, 5))
        # As long as it fades, and longer; and back.
        settings += [Settings(bypass=True)] * 10 + [Settings()] * 10
    probes = bundle.probes
    for frame in range(run.frames if probes else 0):
        told = {}
        for task, columns in zip(probes.tasks, probes.columns, strict=True) if probes else ():
            scores = np.sort(run.signals[frame, columns].astype(np.int64))[::-1]
            near, hangover = int(random.integers(2)), int(random.integers(4))
            if task.kind == "binary":
                told[task.name] = Decision(int(scores[0]) - near, hangover)
            elif task.kind == "multiclass":
                told[task.name] = Decision(int(scores[0] - scores[1]) + near, hangover)
        settings[frame] = replace(settings[frame], decisions=told)
    return settings[: run.frames]


def refuses(library: HostLibrary) -> bool:
    """Whether settings just out of their ranges are refused."""
    stream = library.stream()
    out: list[dict[str, Any]] = [{"strength": 201}, {"attack": 0}, {"attack": 101}, {"release": 0}, {"release": 101}]
    for wrong in out:
        try:
            stream.set_controls(Settings(**wrong))
        except ToolchainError:
            continue
        return False
    return True


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
