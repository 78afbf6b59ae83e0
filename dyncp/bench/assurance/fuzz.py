# SPDX-License-Identifier: Apache-2.0
"""`make fuzz TIME=60`: libFuzzer on the generated C, so many seconds for each of audio, state and calls.

Without a bundle: the shipped checkpoints, one after the other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dyncp.bench.soak import bundles
from dyncp.codegen.generate import generate
from dyncp.firmware.proof.fuzz import TARGETS, fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", help="folder of `dyncp export`")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    arguments = parser.parse_args()
    table = Table("network", "input read as", "executions", "edges covered", "findings")
    for name, bundle in bundles(arguments.bundle):
        with tempfile.TemporaryDirectory(prefix="dyncp-") as folder:
            library = generate(bundle, Path(folder) / "library", selftest=True)
            for target in TARGETS:
                result = fuzz(library, target, arguments.seconds)
                table.add_row(name, target.lower(), f"{result.executions:,}", str(result.covered), "none")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
