# SPDX-License-Identifier: Apache-2.0
"""Part of `make fuzz TIME=60`: atheris on everything that reads files, so many seconds for each kind of file."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from dyncp.base.errors import ToolchainError
from dyncp.bench.loaders.hunt import hunt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="kinds of files; all by default")
    parser.add_argument("--seconds", type=int, default=60, help="for each kind")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    console, failed = Console(), False
    console.print("file: executions, edges covered, finding")
    try:
        for name, found in hunt(arguments.targets, arguments.seconds, arguments.seed):
            failed |= isinstance(found, str)
            told = found if isinstance(found, str) else f"{found.executions:,}, {found.covered:,}, none"
            console.print(f"{name}: {told}", markup=False, highlight=False, soft_wrap=True)
    except ToolchainError as error:
        Console(stderr=True).print(f"error: {error}", markup=False)
        return 1
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
