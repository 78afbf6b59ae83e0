# SPDX-License-Identifier: Apache-2.0
"""`make prove`: Frama-C's Eva on kernels with unknown inputs, and on every call with a state of unknown bits.

Held against the tables of docs/assurance.md: fails where Eva cannot prove an operation for which they have no reason,
and where their numbers are no longer those found. With `--write` they are renewed; an alarm without a reason is a
failure still.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from rich.console import Console

from dyncp.base.config.network import NetworkConfig
from dyncp.base.files import replace_file
from dyncp.bench.assurance.random_networks import random_bundle
from dyncp.bench.between import split
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import write_bundle
from dyncp.firmware.static.eva import CALLS, KERNELS, Alarms, Proof, prove

PAGE = Path("docs/assurance.md")
MARKERS = {
    KERNELS: ("<!-- alarms -->\n", "<!-- end of alarms -->\n"),
    CALLS: ("<!-- alarms of calls -->\n", "<!-- end of alarms of calls -->\n"),
}
HEADER = "| function | alarms | reason |\n|---|---|---|\n"
ROW = re.compile(r"^\| `(\w+)` \| (\d+) `(\w+)` \| (.*?) \|$", re.MULTILINE)

SMALL = NetworkConfig(channels=4, hidden=4, gate=2, stacks=1, dilations=(1, 2), pooling_frames=3)
AVERAGING = SMALL.model_copy(update={"gate_site": "hidden", "pooling": "gate", "pooling_frames": (3, 9)})
HELD = SMALL.model_copy(update={"gate_site": "hidden", "gate_period": 2, "bands": (0, 1, 2, 4, 16, 257)})
# Calls of each, on states of unknown bits; kernels of the last alone, which has all: those of gated outputs are
# compiled in any case.
NETWORKS = {
    "output, window": SMALL,
    "output, ema": SMALL.model_copy(update={"pooling": "ema"}),
    "hidden, window": SMALL.model_copy(update={"gate_site": "hidden"}),
    "hidden, ema": SMALL.model_copy(update={"gate_site": "hidden", "pooling": "ema"}),
    "hidden, gate": AVERAGING,
    "hidden, window, held, bands": HELD,
}

Reasons = dict[tuple[str, str], str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"renew the numbers of {PAGE}")
    parser.add_argument("--precision", type=int, default=2, help="of Eva, 0 to 11")
    arguments = parser.parse_args()
    tell = partial(Console().print, highlight=False, soft_wrap=True)
    found: dict[str, Alarms] = {KERNELS: {}, CALLS: {}}
    for program, name, config in [(KERNELS, "kernels", HELD), *((CALLS, *network) for network in NETWORKS.items())]:
        started = time.monotonic()
        proof = analyse(config, program, arguments.precision)
        found[program] = most(found[program], proof.alarms)
        tell(
            f"{name}: {proof.functions} functions, {proof.statements} statements, {sum(proof.alarms.values())} alarms; "
            f"{time.monotonic() - started:.0f} s"
        )
    faults = [fault for program, alarms in found.items() for fault in judge(program, alarms, arguments.write)]
    for fault in faults:
        tell(fault, style="bold red")
    tell(f"{len(faults)} faults")
    return 1 if faults else 0


def analyse(config: NetworkConfig, program: str, precision: int = 2) -> Proof:
    with tempfile.TemporaryDirectory(prefix="dyncp-prove-") as folder:
        bundle = random_bundle(config, seed=0)
        write_bundle(bundle, Path(folder) / "bundle")
        return prove(generate(bundle, Path(folder) / "library"), program, precision=precision)


def most(first: Alarms, second: Alarms) -> Alarms:
    """Of each function and kind, the larger number of two networks."""
    return {key: max(first.get(key, 0), second.get(key, 0)) for key in first.keys() | second.keys()}


def judge(program: str, alarms: Alarms, write: bool) -> list[str]:
    """What is wrong with the table of `program`, whose numbers `write` renews."""
    text = PAGE.read_text(encoding="utf-8")
    recorded, reasons = read_table(text, program)
    if write:
        before, _, after = split(text, MARKERS[program])
        replace_file(PAGE, (before + table(alarms, reasons) + after).encode())
        recorded = alarms
    return compare(alarms, recorded, reasons)


def read_table(text: str, program: str) -> tuple[Alarms, Reasons]:
    """Numbers and reasons by function and kind. Raises ValueError for a page without a table."""
    rows = ROW.findall(split(text, MARKERS[program])[1])
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
