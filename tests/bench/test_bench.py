# SPDX-License-Identifier: Apache-2.0
"""The figures of `make bench`, the table of docs/benchmarks.md that CI holds to them, and the README's numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle

from dyncp.base.config.network import NetworkConfig
from dyncp.bench.between import split
from dyncp.bench.cores import MARKERS, NETWORKS, PAGE, ROWS, Benches, markdown_table, numbers, stale
from dyncp.export.formats.bundle import write_bundle
from dyncp.export.integers import reference
from dyncp.firmware.bench.bench import Bench, bench, every_gate_open
from dyncp.firmware.cost.baselines import CORES, KERNELS

CONFIG = NetworkConfig(channels=16, hidden=24, gate=4, stacks=1, dilations=(1, 2), pooling_frames=5)
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("site", ["output", "hidden"])
def test_every_gate_is_open(tmp_path: Path, site: str) -> None:
    config = CONFIG.model_copy(update={"gate_site": site, "block_cap": 3})
    opened = every_gate_open(random_bundle(config, seed=3))
    write_bundle(opened, tmp_path)
    loud = np.random.default_rng(1).integers(-32768, 32768, 20 * 256).astype(np.int16)
    assert (reference.run(opened, loud).macs == config.macs(config.gated * config.blocks)).all()


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    bundle = random_bundle(CONFIG, seed=3)
    folder = tmp_path_factory.mktemp("bench")
    write_bundle(bundle, folder / "bundle")
    pcm = np.random.default_rng(2).integers(-9000, 9000, 20 * 256).astype(np.int16)
    return bench(bundle, pcm, folder / "work")


@pytest.mark.slow
def test_figures_of_a_small_network(counted: Bench) -> None:
    assert counted.frames == 20
    assert counted.macs_mean < counted.macs_all_active == CONFIG.macs(CONFIG.gated * CONFIG.blocks)
    assert tuple(core.name for core in counted.cores) == CORES
    for core in counted.cores:
        assert 0 < core.mean < core.max < 2 * core.all_active
        assert core.mean < core.all_active
        assert core.kernels.keys() == KERNELS.keys()
        assert sum(kernel.dense > 0 for kernel in core.kernels.values()) == len(KERNELS)
        assert 0 < core.front_end < core.all_active
        # The kernels, the front end and the probes are the dense frame but for gates, pooling and the call.
        spent = core.kernels["front"].dense * 257 * CONFIG.channels + core.front_end + core.probes_mean
        assert spent < core.all_active
        assert (core.cycles is not None) == (core.name == "cortex-m4")
        if core.cycles is not None:
            assert core.cycles.instructions == pytest.approx(core.mean)
            assert core.cycles.instructions < core.cycles.low < core.cycles.estimate < core.cycles.high


@pytest.mark.slow
def test_the_table_holds_its_own_figures(counted: Bench) -> None:
    table = markdown_table(Benches(networks={"steady": counted}))
    assert stale(table, table) == []
    mean = f"{counted.cores[0].mean:,.0f}"
    assert stale(table.replace(mean, f"{counted.cores[0].mean * 0.985:,.0f}"), table) != []
    assert stale(table.replace(mean, f"{counted.cores[0].mean * 0.995:,.0f}"), table) == []


TABLE = "| | | M3 | M4 |\n|---|---|---|---|\n| `steady` | mean | 1,000 | 2,000 |\n| `steady` | cycles | – | 50 |\n"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (TABLE, []),
        (TABLE.replace("1,000", "1,009"), []),
        (TABLE.replace("1,000", "1,011"), ["`steady` mean, column 1: 1000, now 1,011"]),
        (TABLE.replace("2,000", "1,900"), ["`steady` mean, column 2: 2000, now 1,900"]),
        (TABLE.replace("–", "7"), ["`steady` cycles, column 1: missing, now 7"]),
        (TABLE.replace("50", "–"), ["`steady` cycles, column 2: no longer measured"]),
    ],
    ids=["same", "within 1 %", "grown", "shrunk", "new", "gone"],
)
def test_a_stale_table_is_told(now: str, said: list[str]) -> None:
    assert stale(TABLE, now) == said


def test_the_page_has_every_figure() -> None:
    before, table, after = split((ROOT / PAGE).read_text(encoding="utf-8"), MARKERS)
    written = numbers(table)
    for network in NETWORKS:
        for row in ROWS:
            cores = 1 if row.startswith("cycles") else len(CORES)
            assert sum(key == f"`{network}` {row}" for key, _ in written) == cores, row
    assert before + table + after == (ROOT / PAGE).read_text(encoding="utf-8")


NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?")


def test_the_readmes_numbers_are_those_of_the_pages() -> None:
    """A figure of the first page must be one that its page has: those are renewed when a network or kernel changes."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    link = r"/blob/main/(docs/[a-z-]+\.md)(?:#[a-z]+)?\)"
    rows = re.findall(rf"^\| ([^|]+) \| ([^|]+) \|.*{link} \|$", readme, re.MULTILINE)
    assert len(rows) == 6
    for what, value, page in rows:
        # "about 24 MHz" and "256 samples: 16 ms" say the same figure once more.
        figures = set(NUMBER.findall(re.split(", about|: ", value)[0]))
        assert figures, what
        assert figures <= set(NUMBER.findall((ROOT / page).read_text(encoding="utf-8"))), f"{what}: not in {page}"
