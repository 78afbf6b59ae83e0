# SPDX-License-Identifier: Apache-2.0
"""The table of what Eva cannot prove: it reads as it was written, each alarm has its reason, and a new one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from dyncp.bench.assurance.prove import MARKERS, PAGE, compare, most, read_table, table
from dyncp.firmware.static.eva import CALLS, KERNELS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("program", MARKERS)
def test_every_alarm_on_record_has_a_reason(program: str) -> None:
    recorded, reasons = read_table((ROOT / PAGE).read_text(encoding="utf-8"), program)
    assert recorded
    assert compare(recorded, recorded, reasons) == []


@pytest.mark.parametrize("program", MARKERS)
def test_the_functions_are_those_of_the_runtime(program: str) -> None:
    recorded, _ = read_table((ROOT / PAGE).read_text(encoding="utf-8"), program)
    runtime = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "firmware/runtime").rglob("*.h"))
    for function, _ in recorded:
        # Inner products are made by a macro that adds the ends of their names.
        assert function in runtime or function.removesuffix("_four").removesuffix("_one") in runtime, function


def test_the_table_reads_as_it_was_written() -> None:
    alarms = {("dcp_b", "mem_access"): 2, ("dcp_a", "shift"): 1}
    begin, end = MARKERS[CALLS]
    text = "".join(MARKERS[KERNELS]) + begin + table(alarms, {("dcp_a", "shift"): "why not"}) + end
    assert read_table(text, KERNELS) == ({}, {})
    assert read_table(text, CALLS) == (alarms, {("dcp_a", "shift"): "why not", ("dcp_b", "mem_access"): ""})


def test_what_is_wrong_with_a_table() -> None:
    recorded = {("dcp_a", "shift"): 1, ("dcp_b", "shift"): 1}
    reasons = {("dcp_a", "shift"): "so it is", ("dcp_b", "shift"): "gone"}
    faults = compare({("dcp_a", "shift"): 1, ("dcp_c", "shift"): 1}, recorded, reasons)
    assert [fault.split(":")[0] for fault in faults] == ["dcp_c", "dcp_b", "dcp_c"]
    assert compare(recorded, recorded, reasons) == []


def test_of_several_networks_the_largest_numbers_are_on_record() -> None:
    first, second = {("dcp_a", "shift"): 1, ("dcp_b", "shift"): 2}, {("dcp_b", "shift"): 1, ("dcp_c", "shift"): 1}
    assert most(first, second) == {("dcp_a", "shift"): 1, ("dcp_b", "shift"): 2, ("dcp_c", "shift"): 1}
