# SPDX-License-Identifier: Apache-2.0
"""No value of any bit of the state makes a call read or write outside the state, `in` and `out`, or do what C leaves
undefined: bits are flipped in turn, and whole states are random, under the sanitizers (firmware/app/corrupt.c)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dyncp.firmware.building import toolchain
from dyncp.firmware.building.image import APP
from dyncp.firmware.host.build import Compiler

Kernels = Literal["PORTABLE", "DSP"]
"""Which kernels the host runs: docs/kernels.md."""

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# Of unsigned values wrapping is defined, and wanted.
INTEGERS = ("-fsanitize=integer", "-fno-sanitize=unsigned-integer-overflow,unsigned-shift-base")


@dataclass(frozen=True)
class Corruption:
    """What was tried, and what became of it; every call returned."""

    bits: int
    """Of the state."""
    flipped: int
    """Of these."""
    refused: int
    """Flips that `process` answers by a status."""
    changed: int
    """Flips that it does not notice, and that change what comes out."""
    random_states: int


def corrupt(
    library: Path,
    *,
    frames: int = 2,
    random_states: int = 200,
    most_bits: int = 2**31 - 1,
    compiler: Compiler = "gcc",
    kernels: Kernels = "PORTABLE",
    timeout_s: float = 24 * 3600.0,
) -> Corruption:
    """Try the library in `library`, generated with the prefix `dyncp`: `frames` frames after each corruption.

    Of more bits than `most_bits`, one in an odd number is flipped, so that all places in a word have their turn.

    Raises ToolchainError with what the sanitizers report, if the compiler is missing, or if a call does not return
    within `timeout_s`.
    """
    sources = [APP / "corrupt.c", library / "dyncp.c"]
    flags = ["-std=c99", *toolchain.WARNINGS, "-O2", "-g", *SANITIZE, *(INTEGERS if compiler == "clang" else ())]
    with tempfile.TemporaryDirectory(prefix="dyncp-corrupt-") as folder:
        program = Path(folder) / "corrupt"
        toolchain.run([compiler, *flags, f"-DDYNCP_{kernels}", f"-I{library}", *sources, "-o", program])
        printed = toolchain.run([program, str(frames), str(random_states), str(most_bits)], timeout_s=timeout_s)
    return Corruption(*map(int, printed.split()))
