# SPDX-License-Identifier: Apache-2.0
"""`make misra`: MISRA C:2012 on small generated libraries, held against the record of deviations in docs/misra.md.

Fails where a rule is deviated from in a file for which the record gives no reason, and where its numbers are no longer
those found. With `--write` they are renewed; a rule without a reason is a failure still.
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
from dyncp.firmware.proof.corruption import Kernels
from dyncp.firmware.static.misra import Deviations, Place, check, count

RECORD = Path("docs/misra.md")
MARKERS = ("<!-- deviations -->\n", "<!-- end of deviations -->\n")
HEADER = "| rule | lines, by file | reason |\n|---|---|---|\n"
ROW = re.compile(r"^\| (\d+\.\d+) \| (.*?) \| (.*?) \|$", re.MULTILINE)
LINES = re.compile(r"`([\w.]+)` (\d+)")

TINY = NetworkConfig(channels=9, hidden=12, gate=3, stacks=1, dilations=(1, 2), pooling_frames=5)
NETWORKS = {
    "output": TINY,
    "hidden": TINY.model_copy(
        update={"gate_site": "hidden", "pooling": "ema", "gate_period": 2, "bands": (0, 1, 2, 4, 16, 64, 257)}
    ),
    "averaging": TINY.model_copy(update={"gate_site": "hidden", "pooling": "gate", "pooling_frames": (3, 9)}),
    "taps": TINY.model_copy(update={"gate_site": "hidden", "kernel": 4}),
}
KERNELS: tuple[Kernels, ...] = ("PORTABLE", "DSP")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"renew the numbers of {RECORD}")
    arguments = parser.parse_args()
    console, found = Console(), deviations()
    text = RECORD.read_text(encoding="utf-8")
    recorded, reasons = read_record(text)
    if arguments.write:
        before, _, after = split(text, MARKERS)
        replace_file(RECORD, (before + table(found, reasons) + after).encode())
        recorded = found
    faults = compare(found, recorded, reasons)
    for fault in faults:
        console.print(fault, style="bold red", highlight=False, soft_wrap=True)
    rules = len({rule for rule, _ in found})
    console.print(f"{sum(found.values())} lines deviate from {rules} rules; {len(faults)} faults", highlight=False)
    return 1 if faults else 0


def deviations() -> Deviations:
    """By rule and file, in the network that has most; kernels count together."""
    most: Deviations = {}
    with tempfile.TemporaryDirectory(prefix="dyncp-misra-") as folder:
        for name, config in NETWORKS.items():
            bundle = random_bundle(config, seed=0, probes="int8" if name == "output" else "int16")
            write_bundle(bundle, Path(folder) / name / "bundle")
            library = generate(bundle, Path(folder) / name / "dyncp", selftest=True, in_place_fft=name == "taps")
            places = set[Place]().union(*(check(library, kernels) for kernels in KERNELS))
            for key, lines in count(places).items():
                most[key] = max(lines, most.get(key, 0))
    return most


def read_record(text: str) -> tuple[Deviations, dict[str, str]]:
    """Lines by rule and file, and reasons by rule, of the page's table. Raises ValueError for a page without one."""
    recorded: Deviations = {}
    reasons = {}
    for rule, files, reason in ROW.findall(split(text, MARKERS)[1]):
        reasons[rule] = reason.strip()
        recorded |= {(rule, file): int(lines) for file, lines in LINES.findall(files)}
    return recorded, reasons


def table(found: Deviations, reasons: dict[str, str]) -> str:
    rows = []
    for rule in sorted({rule for rule, _ in found}, key=lambda rule: tuple(map(int, rule.split(".")))):
        files = ", ".join(f"`{file}` {lines}" for (other, file), lines in sorted(found.items()) if other == rule)
        rows.append(f"| {rule} | {files} | {reasons.get(rule, '')} |\n")
    return HEADER + "".join(rows)


def compare(found: Deviations, recorded: Deviations, reasons: dict[str, str]) -> list[str]:
    """What is wrong with the record, one sentence each."""
    faults = [f"rule {rule}: no reason in {RECORD}" for rule in sorted({r for r, _ in found if not reasons.get(r)})]
    for rule, file in sorted(found.keys() | recorded.keys()):
        lines, known = found.get((rule, file), 0), recorded.get((rule, file), 0)
        if lines != known:
            faults.append(f"rule {rule}, {file}: {lines} lines, {RECORD} has {known}; mend them, or --write and review")
    return faults


if __name__ == "__main__":
    sys.exit(main())
