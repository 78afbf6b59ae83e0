# SPDX-License-Identifier: Apache-2.0
"""libFuzzer on a generated library, under the sanitizers (firmware/app/fuzz.c)."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.image import APP
from dyncp.firmware.proof.corruption import Kernels

Target = Literal["PCM", "STATE", "CALLS"]
"""How the bytes of an input are read: as audio, as a state, as calls of the API."""
TARGETS: tuple[Target, ...] = get_args(Target)

SANITIZE = ("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")
LONGEST = {"PCM": 8 * 512, "STATE": 4096, "CALLS": 512}
"""Bytes of an input."""


@dataclass(frozen=True)
class Fuzzed:
    """What was tried without a finding."""

    executions: int
    covered: int
    """Edges of the program, by libFuzzer's own count."""


def fuzz(library: Path, target: Target, seconds: int, *, kernels: Kernels = "PORTABLE", seed: int = 1) -> Fuzzed:
    """Fuzz the library in `library`, generated with the prefix `dyncp`, for so many seconds.

    Raises ToolchainError with the report of a finding, and the input that leads to it in hexadecimal; and if clang is
    missing.
    """
    sources = [APP / "fuzz.c", library / "dyncp.c"]
    with tempfile.TemporaryDirectory(prefix="dyncp-fuzz-") as folder:
        program = Path(folder) / "fuzz"
        flags = ["-std=c99", *toolchain.WARNINGS, "-O2", "-g", *SANITIZE, f"-DFUZZ_{target}", f"-DDYNCP_{kernels}"]
        toolchain.run(["clang", *flags, f"-I{library}", *sources, "-o", program])
        words = [f"-max_total_time={seconds}", f"-max_len={LONGEST[target]}", f"-seed={seed}", "-timeout=60"]
        # The library allocates nothing; and Linux counts the memory of whoever started a program as its own peak.
        words += ["-rss_limit_mb=0", "-print_final_stats=1", f"-artifact_prefix={folder}/"]
        done = subprocess.run(
            [program, *words], cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode:
            found = [path.read_bytes().hex() for path in Path(folder).glob("*-*") if path.is_file()]
            raise ToolchainError(f"fuzzing {target}: {_finding(done.stderr)}\ninput: {', '.join(found)}")
    executions = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    covered = re.findall(r"cov: (\d+)", done.stderr)
    if executions is None or not covered:
        raise ToolchainError(f"fuzzing {target}: libFuzzer did not say what it did: {done.stderr[-2000:]}")
    return Fuzzed(int(executions[1]), int(covered[-1]))


def _finding(told: str) -> str:
    """What the sanitizer, or else libFuzzer, found, from its first line on."""
    first = re.search(r"^.*(runtime error|ERROR): ", told, re.MULTILINE)
    return told[first.start() :][:2000] if first else told[-2000:]
