# SPDX-License-Identifier: Apache-2.0
"""A program of the tests, run with `faults.c` preloaded: one write, with a fault at every call that changes files.

    python steps.py SCENARIO FOLDER ERRNO LIBRARY      ERRNO 0: the process is killed

Prints how often the write was cut short and what was found: everything old or everything new, always.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import traceback
from pathlib import Path

from scenarios import SCENARIOS, Scenario

from dyncp.base.errors import DyncpError

State = dict[str, bytes]

REFUSED = 3


def state(folder: Path) -> State:
    """Every file that is no leftover, by its path, and empty folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if not any(".dyncp-" in part for part in path.parts) and (path.is_file() or not any(path.iterdir()))
    }


def leftovers(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*.dyncp-*")]


def in_child(faults: ctypes.CDLL, scenario: Scenario, folder: Path, at: int, number: int) -> tuple[int, int]:
    """Write the new state in a child that meets the fault: its wait status, and the calls that it made."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        code = 0
        try:
            faults.faults_arm(os.fsencode(folder), at, number, -1)
            try:
                scenario.write(folder, 1)
            except DyncpError:
                code = REFUSED
            faults_seen = faults.faults_count()
            faults.faults_arm(b"", 0, 0, -1)
            os.write(send, b"%d" % faults_seen)
        except BaseException:
            faults.faults_arm(b"", 0, 0, -1)
            traceback.print_exc()
            code = 1
        os._exit(code)
    os.close(send)
    _, status = os.waitpid(child, 0)
    calls = int(os.read(receive, 20) or b"0")
    os.close(receive)
    return status, calls


def check(scenario: Scenario, folder: Path, old: State, new: State) -> str:
    """Which of both states a reader finds."""
    scenario.read(folder)
    found = state(folder)
    if scenario.parts:
        known = all(
            found.get(name) in (old.get(name), new.get(name)) for name in old.keys() | new.keys() | found.keys()
        )
        return "new" if found == new else "old" if found == old else "parts" if known else "broken"
    return "new" if found == new else "old" if found == old else "broken"


def main() -> None:
    name, place, number, library = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    faults, scenario = ctypes.CDLL(library), SCENARIOS[name]
    before, folder = place / "before", place / "folder"
    before.mkdir(parents=True)
    scenario.others(before)
    scenario.write(before, 0)
    old = state(before)

    def reset() -> None:
        os.chdir(place)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(before, folder, symlinks=True)

    reset()
    scenario.write(folder, 1)
    new = state(folder)
    assert new != old, "the scenario changes nothing"
    found: dict[str, int] = {}
    at = refused = 0
    while True:
        at += 1
        reset()
        status, calls = in_child(faults, scenario, folder, at, number)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and calls < at:
            break
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (0, REFUSED), f"call {at}: exit status {status}"
        refused += os.WIFEXITED(status) and os.WEXITSTATUS(status) == REFUSED
        outcome = check(scenario, folder, old, new)
        assert outcome != "broken", f"call {at}: neither the old nor the new: {sorted(state(folder))}"
        found[outcome] = found.get(outcome, 0) + 1
        scenario.write(folder, 1)
        assert state(folder) == new, f"call {at}: the next write does not make the new state"
        assert not leftovers(folder), f"call {at}: left over after the next write: {leftovers(folder)}"
    print(json.dumps({"calls": at - 1, "refused": refused, **found}))


if __name__ == "__main__":
    main()
