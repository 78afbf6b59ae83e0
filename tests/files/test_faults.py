# SPDX-License-Identifier: Apache-2.0
"""Every kind of output, cut short at every call that changes files: whoever looks finds the old or the new, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from libraries import program
from scenarios import SCENARIOS

HERE = Path(__file__).parent
KILL, NO_SPACE = 0, 28

Found = dict[str, int]


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    flags = ("-shared", "-fPIC", "-Wno-pedantic")
    return program(tmp_path_factory.mktemp("faults") / "faults.so", [HERE / "faults.c"], flags=flags)


def cut_short(faults: Path, scenario: str, number: int, place: Path) -> Found:
    command = [sys.executable, HERE / "steps.py", scenario, place / "steps", str(number), faults]
    environment = os.environ | {"LD_PRELOAD": str(faults), "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1800)
    assert ran.returncode == 0, ran.stderr
    found: Found = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_any_call_leaves_the_old_or_the_new(faults: Path, scenario: str, tmp_path: Path) -> None:
    found = cut_short(faults, scenario, KILL, tmp_path)
    assert found["refused"] == 0
    assert found["calls"] >= 6
    assert found["old"] > 0
    assert found["new"] > 0
    # Where a command writes several files, each of them is whole; everything else is all old or all new.
    assert ("parts" in found) <= SCENARIOS[scenario].parts


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "enhance"])
def test_a_disk_that_is_full_at_any_call_is_told_and_loses_nothing(faults: Path, scenario: str, tmp_path: Path) -> None:
    found = cut_short(faults, scenario, NO_SPACE, tmp_path)
    assert found["refused"] > 0
    # What could be neither written nor refused did not matter: it was a leftover's removal, or a folder's sync.
    assert found["refused"] >= found["old"]
