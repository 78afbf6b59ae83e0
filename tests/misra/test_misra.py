# SPDX-License-Identifier: Apache-2.0
"""The record of MISRA deviations is that of the C as it is, and each has its reason (docs/misra.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from libraries import library

from dyncp.bench.assurance.misra import HEADER, MARKERS, RECORD, compare, deviations, read_record, table
from dyncp.firmware.static.misra import check, count

PAGE = Path(__file__).parents[2] / RECORD


@pytest.mark.slow
def test_every_deviation_is_on_record_with_its_reason() -> None:
    assert compare(deviations(), *read_record(PAGE.read_text(encoding="utf-8"))) == []


@pytest.mark.slow
def test_a_new_deviation_is_found(tmp_path: Path) -> None:
    _, folder = library(tmp_path)
    source = folder / "dyncp.c"
    text = source.read_text()
    line = "    s->macs.v = 0;\n"
    assert line in text
    source.write_text(text.replace(line, "    s->macs.v = 00;\n"))
    places = check(folder, "PORTABLE")
    found = [number for rule, file, number in places if (rule, file) == ("7.1", "dyncp.c")]
    assert found == [text[: text.index(line)].count("\n") + 1]
    recorded, reasons = read_record(PAGE.read_text(encoding="utf-8"))
    assert "rule 7.1: no reason in docs/misra.md" in compare(count(places), recorded, reasons)


def test_the_table_reads_as_it_was_written() -> None:
    found = {("10.1", "a.h"): 3, ("2.5", "b.c"): 1, ("2.5", "a.h"): 12}
    text = MARKERS[0] + table(found, {"2.5": "why not"}) + MARKERS[1]
    assert HEADER in text
    assert text.index("| 2.5 | `a.h` 12, `b.c` 1 | why not |") < text.index("| 10.1 ")
    assert read_record(text) == (found, {"2.5": "why not", "10.1": ""})


def test_what_is_wrong_with_a_record() -> None:
    recorded, reasons = {("2.5", "a.h"): 2, ("9.9", "c.h"): 1}, {"2.5": "so it is", "9.9": "gone"}
    faults = compare({("2.5", "a.h"): 3, ("10.1", "b.h"): 1}, recorded, reasons)
    assert [fault.split(",")[0].split(":")[0] for fault in faults] == ["rule 10.1", "rule 10.1", "rule 2.5", "rule 9.9"]
    assert compare({("2.5", "a.h"): 2}, {("2.5", "a.h"): 2}, reasons) == []
