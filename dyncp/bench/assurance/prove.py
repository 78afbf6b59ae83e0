# SPDX-License-Identifier: Apache-2.0
"""`make prove`: Frama-C's Eva on portable kernels with unknown inputs, held against the table of docs/assurance.md.

Fails where Eva cannot prove an operation for which the table has no reason, and where the table's numbers are no longer
those found. With `--write` they are renewed; an alarm without a reason is a failure still.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from dyncp.base.config.network import NetworkConfig
from dyncp.base.files import replace_file
from dyncp.bench.assurance.random_networks import random_bundle
from dyncp.bench.between import split
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import write_bundle
from dyncp.firmware.static.eva import Alarms, Proof, prove_kernels

PAGE = Path("docs/assurance.md")
MARKERS = ("<!-- alarms -->\n", "<!-- end of alarms -->\n")
HEADER = "| function | alarms | reason |\n|---|---|---|\n"
ROW = re.compile(r"^\| `(\w+)` \| (\d+) `(\w+)` \| (.*?) \|$", re.MULTILINE)

# It has every kernel: bands, and gates of hidden channels that hold; those of gated outputs are compiled in any case.
NETWORK = NetworkConfig(
    channels=4,
    hidden=4,
    gate=2,
    stacks=1,
    dilations=(1,),
    pooling_frames=3,
    gate_site="hidden",
    gate_period=2,
    bands=(0, 1, 2, 4, 16, 257),
)

Reasons = dict[tuple[str, str], str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"renew the numbers of {PAGE}")
    parser.add_argument("--precision", type=int, default=2, help="of Eva, 0 to 11")
    arguments = parser.parse_args()
    console, proof = Console(), prove(arguments.precision)
    text = PAGE.read_text(encoding="utf-8")
    recorded, reasons = read_table(text)
    if arguments.write:
        before, _, after = split(text, MARKERS)
        replace_file(PAGE, (before + table(proof.alarms, reasons) + after).encode())
        recorded = proof.alarms
    faults = compare(proof.alarms, recorded, reasons)
    for fault in faults:
        console.print(fault, style="bold red", highlight=False, soft_wrap=True)
    console.print(
        f"{proof.functions} functions, {proof.statements} statements: {sum(proof.alarms.values())} alarms, "
        f"{len(faults)} faults",
        highlight=False,
    )
    return 1 if faults else 0


def prove(precision: int = 2) -> Proof:
    with tempfile.TemporaryDirectory(prefix="dyncp-prove-") as folder:
        bundle = random_bundle(NETWORK, seed=0)
        write_bundle(bundle, Path(folder) / "bundle")
        return prove_kernels(generate(bundle, Path(folder) / "library"), precision=precision)


def read_table(text: str) -> tuple[Alarms, Reasons]:
    """Numbers and reasons by function and kind. Raises ValueError for a page without a table."""
    rows = ROW.findall(split(text, MARKERS)[1])
    recorded = {(function, kind): int(count) for function, count, kind, _ in rows}
    return recorded, {(function, kind): reason.strip() for function, _, kind, reason in rows}


def table(alarms: Alarms, reasons: Reasons) -> str:
    rows = [f"| `{key[0]}` | {count} `{key[1]}` | {reasons.get(key, '')} |\n" for key, count in sorted(alarms.items())]
    return HEADER + "".join(rows)


def compare(alarms: Alarms, recorded: Alarms, reasons: Reasons) -> list[str]:
    """What is wrong with the table, one sentence each."""
    without = [key for key in sorted(alarms) if not reasons.get(key)]
    faults = [f"{function}: {kind} without a reason in {PAGE}" for function, kind in without]
    for key in sorted(alarms.keys() | recorded.keys()):
        count, known = alarms.get(key, 0), recorded.get(key, 0)
        if count != known:
            faults.append(f"{key[0]}: {count} of {key[1]}, {PAGE} has {known}; mend them, or --write and review")
    return faults


if __name__ == "__main__":
    sys.exit(main())
