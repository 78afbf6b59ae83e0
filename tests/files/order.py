# SPDX-License-Identifier: Apache-2.0
"""A program of the tests, run with `faults.c` preloaded: which calls that change files each scenario makes, in order.

    python order.py FOLDER LIBRARY SCENARIO …

Prints, by scenario, a list of [call, path, what takes the path's place], of the write that makes the new state.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path

from scenarios import SCENARIOS


def main() -> None:
    place, faults = Path(sys.argv[1]), ctypes.CDLL(sys.argv[2])
    found = {}
    for name in sys.argv[3:]:
        scenario, folder = SCENARIOS[name], place / name
        folder.mkdir(parents=True)
        scenario.others(folder)
        scenario.write(folder, 0)
        log = os.open(place / f"{name}.log", os.O_WRONLY | os.O_CREAT)
        faults.faults_arm(os.fsencode(folder), 0, 0, log)
        scenario.write(folder, 1)
        faults.faults_arm(b"", 0, 0, -1)
        os.chdir(place)
        os.close(log)
        lines = (place / f"{name}.log").read_text().splitlines()
        found[name] = [line.split("\t") for line in lines]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
