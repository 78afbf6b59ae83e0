# SPDX-License-Identifier: Apache-2.0
"""Part of `make soak`: bits of the state flipped, and states of random bytes, under the sanitizers.

Without a bundle: the shipped checkpoints. `paper` and `signals` have more bits than `--bits`: one in seven, or three,
is flipped.
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
from dyncp.firmware.proof.corruption import corrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", help="folder of `dyncp export`")
    parser.add_argument("--frames", type=int, default=1, help="that follow each corruption")
    parser.add_argument("--bits", type=int, default=100_000, help="of a state that are flipped at most")
    parser.add_argument("--random-states", type=int, default=1000)
    arguments = parser.parse_args()
    table = Table("network", "bits", "flipped", "refused", "changed the output", "random states", "findings")
    for name, bundle in bundles(arguments.bundle):
        with tempfile.TemporaryDirectory(prefix="dyncp-") as folder:
            library = generate(bundle, Path(folder) / "library")
            result = corrupt(
                library,
                frames=arguments.frames,
                random_states=arguments.random_states,
                most_bits=arguments.bits,
            )
        counts = (result.bits, result.flipped, result.refused, result.changed, result.random_states)
        table.add_row(name, *(f"{count:,}" for count in counts), "none")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
