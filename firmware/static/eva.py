# SPDX-License-Identifier: Apache-2.0
"""Frama-C's Eva on a generated library: its portable kernels (firmware/app/prove.c), its calls (prove_frame.c).

It follows all values of the inputs at once, as intervals, and tells every operation that it cannot prove to be defined.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.image import APP

Alarms = dict[tuple[str, str], int]
"""By function and kind of property, as Frama-C names them: how many."""

KERNELS, CALLS = "prove.c", "prove_frame.c"
"""What is analysed, below firmware/app: kernels one by one, or every call of the API."""

SUMMARY = re.compile(r"(\d+) functions analyzed .*?(\d+) statements reached", re.DOTALL)


@dataclass(frozen=True)
class Proof:
    functions: int
    """Analysed."""
    statements: int
    """Reached."""
    alarms: Alarms


def prove(library: Path, program: str, *, precision: int = 2, timeout_s: float = 3600.0) -> Proof:
    """Analyse KERNELS or CALLS of the library in `library`, generated with the prefix `dyncp`, for a core of 32 bits.

    The library is read as plain C99, without what compilers add to it. Raises ToolchainError if Frama-C is missing,
    fails, warns of anything else, or takes longer than `timeout_s`.
    """
    with tempfile.TemporaryDirectory(prefix="dyncp-eva-") as folder:
        found = Path(folder) / "properties.csv"
        options = f"-I{library.resolve()} -U__GNUC__ -DDYNCP_PORTABLE"
        command: list[str | Path] = ["frama-c", "-machdep", "x86_32", f"-cpp-extra-args={options}", APP / program]
        command += ["-eva", "-eva-precision", str(precision), "-eva-no-show-progress"]
        command += ["-then", "-report-no-proven", "-report-csv", found]
        printed = toolchain.run(command, timeout_s=timeout_s)
        summary = SUMMARY.search(printed)
        if summary is None or "No errors or warnings raised during the analysis" not in printed or not found.is_file():
            raise ToolchainError(f"frama-c: the analysis is not whole:\n{printed[-2000:]}")
        with found.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if _is_alarm(row)]
    alarms = Counter((row["function"], row["property kind"]) for row in rows)
    return Proof(int(summary[1]), int(summary[2]), dict(alarms))


def _is_alarm(row: dict[str, str]) -> bool:
    return not row["status"].lower().endswith("valid")
