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


def cut_short(faults: Path, scenario: str, place: Path, *numbers: int) -> list[Found]:
    """In a process of its own, before which the library of faults is loaded."""
    command = [sys.executable, HERE / "steps.py", scenario, place / "steps", faults, *map(str, numbers)]
    environment = os.environ | {"LD_PRELOAD": str(faults), "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1800)
    assert ran.returncode == 0, ran.stderr
    return list(json.loads(ran.stdout.splitlines()[-1]).values())


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_stops_a_write_at_any_call_leaves_the_old_or_the_new(
    faults: Path, scenario: str, tmp_path: Path
) -> None:
    """A kill; and a full disk, which is told and loses nothing."""
    killed, *no_space = cut_short(faults, scenario, tmp_path, KILL, *([] if scenario == "enhance" else [NO_SPACE]))
    assert killed["refused"] == 0
    assert killed["calls"] >= 6
    assert killed["old"] > 0
    assert killed["new"] > 0
    # Where a command writes several files, each of them is whole; everything else is all old or all new.
    assert ("parts" in killed) <= SCENARIOS[scenario].parts
    for found in no_space:
        assert found["refused"] > 0
        # What could be neither written nor refused did not matter: it was a leftover's removal, or a folder's sync.
        assert found["refused"] >= found["old"]
