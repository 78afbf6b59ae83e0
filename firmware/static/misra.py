# SPDX-License-Identifier: Apache-2.0
"""MISRA C:2012 on generated libraries, by the addon of cppcheck; rules by number, for their texts may not be copied."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain
from dyncp.firmware.proof.corruption import Kernels

FINDING = re.compile(r"^(?P<file>.+):(?P<line>\d+):\d+: (?P<id>\S+)$")
MISRA = "misra-c2012-"

Place = tuple[str, str, int]
"""Rule, file and line."""
Deviations = dict[tuple[str, str], int]
"""By rule and file: how many places."""


def check(library: Path, kernels: Kernels, options: Sequence[str] = ()) -> set[Place]:
    """Every place of the library in `library`, generated with the prefix `dyncp`, that deviates from a rule.

    The headers of its kernels are read as the compiler of a core of 32 bits does. Raises ToolchainError if cppcheck is
    missing or fails, and if it finds anything else.
    """
    source = library / "dyncp.c"
    command = [toolchain.find("cppcheck"), "--std=c99", "--language=c", "--platform=unix32", "--addon=misra", "--quiet"]
    command += ["--template={file}:{line}:{column}: {id}", f"-DDYNCP_{kernels}", *options, f"-I{library}", str(source)]
    # The addon is a Python program that imports its neighbours, which this variable forbids.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    places, others = set[Place](), []
    for line in done.stderr.splitlines():
        found = FINDING.match(line)
        if found is None or not found["id"].startswith(MISRA):
            others.append(line)
        else:
            places.add((found["id"].removeprefix(MISRA), Path(found["file"]).name, int(found["line"])))
    if done.returncode or others or not places:
        raise ToolchainError(f"cppcheck: status {done.returncode}; {'; '.join(others[:5]) or 'found nothing at all'}")
    return places


def count(places: Iterable[Place]) -> Deviations:
    """How many lines of each file deviate from each rule."""
    return dict(Counter((rule, file) for rule, file, _ in places))
