# SPDX-License-Identifier: Apache-2.0
"""What a power cut asks for: every file is written, synced, and only then given its name, whose folder is synced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from libraries import program
from scenarios import SCENARIOS

HERE = Path(__file__).parent

Call = tuple[str, str, str]
"""What is called, on which path, and what takes the path's place."""

WRITES = ("open", "write", "pwrite")
PLACES = ("rename", "exchange")


def faults_in_order(calls: Sequence[Call]) -> list[str]:
    """What a power cut could lose: data under a name that lasts, or a name that does not."""
    faults: list[str] = []
    loose: set[str] = set()
    """Written and not yet synced: files, and folders that got an entry."""
    renamed: set[str] = set()
    """Folders in which a name was given, and that were not synced since."""
    for name, path, source in calls:
        if name in WRITES:
            loose.add(path)
        if name in ("open", "mkdir", "link"):
            loose.add(str(Path(path).parent))
        if name == "fsync":
            loose.discard(path)
            renamed.discard(path)
        if name in PLACES:
            below = {lost for lost in loose if lost == source or Path(lost).is_relative_to(source)}
            faults += [f"{name} of {source} before {lost} is synced" for lost in sorted(below)]
            renamed.add(str(Path(path).parent))
    return faults + [f"{folder} is not synced after a name was given in it" for folder in sorted(renamed)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Call]]:
    folder = tmp_path_factory.mktemp("order")
    faults = program(folder / "faults.so", [HERE / "faults.c"], flags=("-shared", "-fPIC", "-Wno-pedantic"))
    command = [sys.executable, HERE / "order.py", folder / "places", faults, *KINDS]
    environment = os.environ | {"LD_PRELOAD": str(faults), "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1800)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    return {name: [(call, path, source) for call, path, source in calls] for name, calls in found.items()}


KINDS = [name for name in SCENARIOS if name not in ("enhance", "results", "figure")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_write_sync_rename_sync(recorded: dict[str, list[Call]], kind: str) -> None:
    calls = recorded[kind]
    assert not faults_in_order(calls)
    names = [name for name, _, _ in calls]
    placed = next(n for n, name in enumerate(names) if name in PLACES)
    assert "open" in names[:placed]
    assert "write" in names[:placed] or "pwrite" in names[:placed]
    assert "fsync" in names[:placed]
    assert "fsync" in names[placed:]


OPEN, WRITE, SYNC = ("open", "f/.a", ""), ("write", "f/.a", ""), ("fsync", "f/.a", "")
RENAME, FOLDER = ("rename", "f/a", "f/.a"), ("fsync", "f", "")
INNER = [("mkdir", "f/.d", ""), ("open", "f/.d/a", ""), ("write", "f/.d/a", ""), ("fsync", "f/.d/a", "")]
EXCHANGE = ("exchange", "f/d", "f/.d")


@pytest.mark.parametrize(
    ("calls", "faults"),
    [
        ([OPEN, WRITE, SYNC, RENAME, FOLDER], []),
        ([OPEN, WRITE, RENAME, FOLDER], ["rename of f/.a before f/.a is synced"]),
        ([OPEN, WRITE, SYNC, WRITE, RENAME, FOLDER], ["rename of f/.a before f/.a is synced"]),
        ([OPEN, WRITE, RENAME, SYNC, FOLDER], ["rename of f/.a before f/.a is synced"]),
        ([OPEN, WRITE, SYNC, RENAME], ["f is not synced after a name was given in it"]),
        ([OPEN, WRITE, SYNC, FOLDER, RENAME], ["f is not synced after a name was given in it"]),
        ([*INNER, ("fsync", "f/.d", ""), EXCHANGE, FOLDER], []),
        ([*INNER, EXCHANGE, FOLDER], ["exchange of f/.d before f/.d is synced"]),
    ],
)
def test_what_is_out_of_order_is_noticed(calls: list[Call], faults: list[str]) -> None:
    assert faults_in_order(calls) == faults
