# SPDX-License-Identifier: Apache-2.0
"""`make mutants TIME=60`: faults in reference, probes, masks and C kernels, so many seconds for each file.

A seed chooses which faults are tried, and in which order; those that no test notices are printed.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dyncp.bench.mutants import c_source, python_source
from dyncp.bench.mutants.mutant import Mutant
from dyncp.bench.mutants.subjects import SUBJECTS, Subject
from dyncp.bench.mutants.trial import Suite, in_module, in_runtime

ROOT = Path.cwd()
# What the tests load beside `dyncp`.
LARGE = (
    "hypothesis",
    "jinja2",
    "matplotlib",
    "pydantic",
    "pytest",
    "safetensors.torch",
    "scipy.signal",
    "soundfile",
    "torch",
)


@dataclass
class Outcome:
    """Of one file: faults that there are, that were tried, and that no test noticed."""

    subject: Subject
    known: int
    tried: int
    survived: list[Mutant]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="parts of the paths of files; all by default")
    parser.add_argument("--seconds", type=float, default=60, help="for each file")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    subjects = [s for s in SUBJECTS if not arguments.files or any(part in s.path for part in arguments.files)]
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    for name in LARGE:
        importlib.import_module(name)
    console, table = Console(), Table("file", "faults", "tried", "noticed", "not noticed")
    tell = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    outcomes = []
    for subject in subjects:
        outcomes.append(outcome := try_faults(subject, arguments.seconds, arguments.seed, tell))
        tried, lost = outcome.tried, len(outcome.survived)
        tell(f"{subject.path}: {tried - lost} of {tried} noticed")
        table.add_row(subject.path, str(outcome.known), str(tried), str(tried - lost), str(lost))
    tried, lost = sum(o.tried for o in outcomes), sum(len(o.survived) for o in outcomes)
    table.add_row("all", str(sum(o.known for o in outcomes)), str(tried), str(tried - lost), str(lost))
    console.print(table)
    return 0


def try_faults(subject: Subject, seconds: float, seed: int, tell: Callable[[str], object]) -> Outcome:
    """Faults of one file in an order that `seed` chooses, until the time is over; at least one."""
    text = (ROOT / subject.path).read_text(encoding="utf-8")
    faults = (c_source if subject.module is None else python_source).mutants(text)
    if subject.module is None:
        # Nothing of Python changes: it is loaded once. C comes last.
        for name in ("libraries", "networks", "dyncp.firmware.host.library"):
            importlib.import_module(name)
    tests = _timed(subject.tests)
    outcome = Outcome(subject, len(faults), 0, [])
    end = time.monotonic() + seconds
    for fault in random.Random(seed).sample(faults, len(faults)):
        if outcome.tried and time.monotonic() > end:
            break
        outcome.tried += 1
        if not _noticed(subject, fault, tests):
            outcome.survived.append(fault)
            tell(f"not noticed: {subject.path}:{fault}")
    return outcome


@cache
def _timed(names: tuple[str, ...]) -> Suite:
    suite = Suite(ROOT, names)
    suite.time()
    return suite


def _noticed(subject: Subject, fault: Mutant, tests: Suite) -> bool:
    if subject.module is not None:
        return tests.notice(in_module(subject.module, fault.source))
    with tempfile.TemporaryDirectory(prefix="dyncp-mutant-") as folder:
        return tests.notice(in_runtime(Path(subject.path).name, fault.source, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
