# SPDX-License-Identifier: Apache-2.0
"""`make mutants TIME=60`: faults in reference, probes, masks and C kernels, so many seconds for each file.

A seed chooses which faults are tried, and in which order. Printed is each that no test notices and that
tests/mutants/explained.toml does not explain, and each in a line that no test runs; then the command fails.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from dyncp.bench.mutants import c_source, python_source
from dyncp.bench.mutants.explained import LIST, Explained, read_explained, reason
from dyncp.bench.mutants.mutant import Mutant
from dyncp.bench.mutants.subjects import SUBJECTS, Subject

ROOT = Path.cwd()
Outcome = Literal["noticed", "same code", "explained", "not run", "not noticed"]
COLUMNS: tuple[Outcome, ...] = ("noticed", "same code", "explained", "not run", "not noticed")
Judge = Callable[[Mutant], Outcome]
Tell = Callable[[str], object]


@dataclass
class Tally:
    """Of one file: faults that there are, and what became of those that were tried."""

    subject: Subject
    known: int
    outcomes: Counter[Outcome] = field(default_factory=Counter)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="parts of the paths of files; all by default")
    parser.add_argument("--seconds", type=float, default=60, help="for each file")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chosen = [s for s in SUBJECTS if not arguments.files or any(part in s.path for part in arguments.files)]
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    console = Console()
    tell = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    hunt = Hunt(arguments.seconds, arguments.seed, read_explained(ROOT / LIST), tell)
    hunt.in_c([subject for subject in chosen if subject.module is None])
    hunt.in_python([subject for subject in chosen if subject.module is not None])
    table = Table("file", "faults", "tried", *COLUMNS)
    for tally in hunt.tallies:
        add_row(table, tally.subject.path, tally.known, tally.outcomes)
    total = sum((tally.outcomes for tally in hunt.tallies), Counter[Outcome]())
    add_row(table, "all", sum(tally.known for tally in hunt.tallies), total)
    console.print(table)
    return 1 if total["not noticed"] + total["not run"] else 0


def add_row(table: Table, name: str, known: int, outcomes: Counter[Outcome]) -> None:
    table.add_row(name, str(known), str(outcomes.total()), *(str(outcomes[column]) for column in COLUMNS))


@dataclass
class Hunt:
    """One seed, so many seconds for each file."""

    seconds: float
    seed: int
    explained: Collection[Explained]
    tell: Tell
    tallies: list[Tally] = field(default_factory=list)

    def in_python(self, subjects: Sequence[Subject]) -> None:
        if not subjects:
            return
        from dyncp.bench.mutants.python_trial import PythonTests

        names = list(dict.fromkeys(name for subject in subjects for name in subject.tests))
        modules = [subject.module for subject in subjects if subject.module is not None]
        for module in modules:
            importlib.import_module(module)
        tests = PythonTests(ROOT, names, modules)

        def judge(module: str, fault: Mutant) -> Outcome:
            if not (items := tests.running(module, fault)):
                return "not run"
            return "noticed" if tests.notice(items, module, fault) else "not noticed"

        def body() -> None:
            for subject, module in zip(subjects, modules, strict=True):
                self.try_faults(subject, python_source.mutants, partial(judge, module))

        tests.run(body)

    def in_c(self, subjects: Sequence[Subject]) -> None:
        if not subjects:
            return
        from dyncp.bench.mutants.c_trial import CTests

        networks: Any = importlib.import_module("kernel_networks")
        with tempfile.TemporaryDirectory(prefix="dyncp-mutants-") as folder:
            tests = CTests(networks.cases(), Path(folder))

            def judge(header: str, fault: Mutant) -> Outcome:
                with tempfile.TemporaryDirectory(prefix="dyncp-mutant-") as scratch:
                    return tests.judge(header, fault, Path(scratch))

            for subject in subjects:
                self.try_faults(subject, c_source.mutants, partial(judge, Path(subject.path).name))

    def try_faults(self, subject: Subject, find: Callable[[str], list[Mutant]], judge: Judge) -> None:
        """Faults of one file in an order that the seed chooses, until the time is over; at least one."""
        faults = find((ROOT / subject.path).read_text(encoding="utf-8"))
        tally = Tally(subject, len(faults))
        self.tallies.append(tally)
        end = time.monotonic() + self.seconds
        for fault in random.Random(self.seed).sample(faults, len(faults)):
            if tally.outcomes and time.monotonic() > end:
                break
            known = reason(self.explained, subject.path, fault)
            outcome = judge(fault) if known is None else "explained"
            tally.outcomes[outcome] += 1
            if outcome in ("not run", "not noticed"):
                self.tell(f"{outcome}: {subject.path}:{fault}")
        noticed = tally.outcomes["noticed"]
        self.tell(f"{subject.path}: {noticed} of {tally.outcomes.total()} noticed, {tally.known} known")


if __name__ == "__main__":
    sys.exit(main())
