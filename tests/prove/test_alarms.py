# SPDX-License-Identifier: Apache-2.0
"""The table of what Eva cannot prove: it reads as it was written, each alarm has its reason, and a new one is told."""

from __future__ import annotations

from pathlib import Path

from dyncp.bench.assurance.prove import MARKERS, PAGE, compare, read_table, table

ROOT = Path(__file__).parents[2]


def test_every_alarm_on_record_has_a_reason() -> None:
    recorded, reasons = read_table((ROOT / PAGE).read_text(encoding="utf-8"))
    assert recorded
    assert compare(recorded, recorded, reasons) == []


def test_the_functions_are_those_of_the_runtime() -> None:
    recorded, _ = read_table((ROOT / PAGE).read_text(encoding="utf-8"))
    runtime = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "firmware/runtime").rglob("*.h"))
    for function, _ in recorded:
        # Inner products are made by a macro that adds the ends of their names.
        assert function in runtime or function.removesuffix("_four").removesuffix("_one") in runtime, function


def test_the_table_reads_as_it_was_written() -> None:
    alarms = {("dcp_b", "mem_access"): 2, ("dcp_a", "shift"): 1}
    text = MARKERS[0] + table(alarms, {("dcp_a", "shift"): "why not"}) + MARKERS[1]
    assert read_table(text) == (alarms, {("dcp_a", "shift"): "why not", ("dcp_b", "mem_access"): ""})


def test_what_is_wrong_with_a_table() -> None:
    recorded = {("dcp_a", "shift"): 1, ("dcp_b", "shift"): 1}
    reasons = {("dcp_a", "shift"): "so it is", ("dcp_b", "shift"): "gone"}
    faults = compare({("dcp_a", "shift"): 1, ("dcp_c", "shift"): 1}, recorded, reasons)
    assert [fault.split(":")[0] for fault in faults] == ["dcp_c", "dcp_b", "dcp_c"]
    assert compare(recorded, recorded, reasons) == []
