# SPDX-License-Identifier: Apache-2.0
"""A program of the tests, run with `faults.c` preloaded: one write, with a fault at every call that changes files.

    python steps.py SCENARIO FOLDER LIBRARY ERRNO…      ERRNO 0: the process is killed

Prints, for each number, how often the write was cut short and what was found: everything old or everything new, always.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import traceback
from dataclasses import dataclass
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


@dataclass
class Steps:
    """A scenario below `place`: its old state, and the new one that a write makes of it."""

    scenario: Scenario
    place: Path
    faults: ctypes.CDLL

    def __post_init__(self) -> None:
        self.before.mkdir(parents=True)
        self.scenario.others(self.before)
        self.scenario.write(self.before, 0)
        self.old = state(self.before)
        self.reset()
        self.scenario.write(self.folder, 1)
        self.new = state(self.folder)
        assert self.new != self.old, "the scenario changes nothing"

    @property
    def before(self) -> Path:
        return self.place / "before"

    @property
    def folder(self) -> Path:
        return self.place / "folder"

    def reset(self) -> None:
        os.chdir(self.place)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.before, self.folder, symlinks=True)

    def cut_short(self, number: int) -> dict[str, int]:
        """The fault at one call after the other, until the write ends without it."""
        found: dict[str, int] = {}
        at = refused = 0
        while True:
            at += 1
            self.reset()
            status, calls = in_child(self.faults, self.scenario, self.folder, at, number)
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and calls < at:
                return {"calls": at - 1, "refused": refused, **found}
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (0, REFUSED), f"call {at}: exit status {status}"
            refused += os.WIFEXITED(status) and os.WEXITSTATUS(status) == REFUSED
            outcome = check(self.scenario, self.folder, self.old, self.new)
            assert outcome != "broken", f"call {at}: neither the old nor the new: {sorted(state(self.folder))}"
            found[outcome] = found.get(outcome, 0) + 1
            self.scenario.write(self.folder, 1)
            assert state(self.folder) == self.new, f"call {at}: the next write does not make the new state"
            left = leftovers(self.folder)
            assert not left, f"call {at}: left over after the next write: {left}"


def main() -> None:
    name, place, library, *numbers = sys.argv[1:]
    steps = Steps(SCENARIOS[name], Path(place), ctypes.CDLL(library))
    print(json.dumps({number: steps.cut_short(int(number)) for number in numbers}))


if __name__ == "__main__":
    main()
