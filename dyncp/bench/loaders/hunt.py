# SPDX-License-Identifier: Apache-2.0
"""atheris on the readers of `targets`, each for so many seconds in a process of its own, for a finding ends it.

Python is instrumented in `dyncp` alone: libraries may branch as they like.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dyncp.base.errors import DyncpError, ToolchainError

LONGEST = 1 << 15
"""Bytes of an input: several times the largest seed."""
SLOWEST_S = 20
"""Seconds after which one input counts as a hang."""
MOST_MB = 4096
"""Resident memory that no input may make the process use."""


@dataclass(frozen=True)
class Hunted:
    """What was tried without a finding."""

    executions: int
    covered: int
    """Edges of the code of `dyncp`, by libFuzzer's own count."""


Target = Callable[[Path], Any]


def hunt(
    names: Sequence[str] | None, seconds: int, seed: int = 1, more: dict[str, Target] | None = None
) -> Iterator[tuple[str, Hunted | str]]:
    """Fuzz these of `targets.TARGETS` and of `more`, or all, one after the other.

    Yields for each its name, and what was tried or, of a finding, what came out that is no error of ours, and the
    input. Raises ToolchainError without atheris.
    """
    try:
        atheris = importlib.import_module("atheris")
    except ModuleNotFoundError:
        raise ToolchainError("atheris is missing: pip install 'dyncp[assurance]' (Linux on x86-64)") from None
    with atheris.instrument_imports(include=["dyncp"]):
        targets = importlib.import_module("dyncp.bench.loaders.targets")
    known = {**targets.TARGETS, **(more or {})}
    for name in names or known:
        yield name, _hunted(atheris, known[name], seconds, seed)


def _hunted(atheris: Any, target: Target, seconds: int, seed: int) -> Hunted | str:
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="dyncp-loaders-", dir=place if place.is_dir() else None) as folder:
        log = Path(folder) / "log"
        child = os.fork()
        if child == 0:
            _fuzz(atheris, target, Path(folder), seconds, seed)
        _, status = os.waitpid(child, 0)
        told = log.read_text(errors="replace")
        found = [path for path in Path(folder).glob("*-*") if path.is_file()]
        if status or found:
            inputs = ", ".join(path.read_bytes().hex()[:4000] for path in found) if found else "unknown"
            return f"{_report(told)}\ninput: {inputs}"
    executions = re.search(r"number_of_executed_units: (\d+)", told)
    covered = re.findall(r"cov: (\d+)", told)
    if executions is None or not covered:
        raise ToolchainError(f"libFuzzer did not say what it did: {told[-2000:]}")
    return Hunted(int(executions[1]), int(covered[-1]))


def _fuzz(atheris: Any, target: Target, folder: Path, seconds: int, seed: int) -> None:
    """Does not return: libFuzzer ends the process."""
    descriptor = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    logging.disable()
    try:
        (folder / "files").mkdir()
        (folder / "seeds").mkdir()
        reader = target(folder / "files")
        for number, data in enumerate(reader.seeds):
            reader.read(data)
            (folder / "seeds" / str(number)).write_bytes(data)

        def one(data: bytes) -> None:
            try:
                with contextlib.suppress(DyncpError):
                    reader.read(data)
            except BaseException:
                (folder / "found-1").write_bytes(data)
                raise

        words = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-seed={seed}", f"-timeout={SLOWEST_S}"]
        words += [f"-rss_limit_mb={MOST_MB}", "-print_final_stats=1", f"-artifact_prefix={folder}/"]
        atheris.Setup([sys.argv[0], *words, str(folder / "seeds")], one)
        atheris.Fuzz()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _report(told: str) -> str:
    """The traceback, or whatever came last."""
    return told[max(0, told.rfind("=== Uncaught Python exception")) :][:6000]
