# SPDX-License-Identifier: Apache-2.0
"""The table of docs/network.md: rows of networks that its command knows, in which no word differs."""

from __future__ import annotations

from pathlib import Path

from dyncp.bench.assurance.framings import MARKERS, PAGE, SHAPE, TABLE, networks, read_table, shape_cells, table

TEXT = (Path(__file__).parents[2] / PAGE).read_text(encoding="utf-8")


def test_rows_are_of_networks_of_the_command_and_exact() -> None:
    known = {tuple(shape_cells(config)) for config in networks()}
    rows = read_table(TEXT)
    assert set(rows) <= known
    for row in rows.values():
        assert row[SHAPE + 2 :] == ["0"] * 5


def test_every_framing_and_number_of_taps_is_a_network_of_the_command() -> None:
    assert {config.framing for config in networks()} > set(TABLE)
    assert {config.kernel for config in networks()} == {2, 3, 4, 5}
    assert len({tuple(shape_cells(config)) for config in networks()}) == len(networks())


def test_the_table_reads_as_it_was_written() -> None:
    rows = read_table(TEXT)
    assert read_table(MARKERS[0] + table(rows.values()) + MARKERS[1]) == rows
