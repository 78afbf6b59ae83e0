# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --day` on a small network: rows against the frames that they sum up, cores, and the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import run
from networks import SHAPES, trained_enough
from sounds import small_corpus
from typer.testing import CliRunner

from dyncp.base.audio import pad_to_hop
from dyncp.base.config.experiment import Config
from dyncp.base.config.framing import HOP
from dyncp.base.errors import BundleError, ConfigError
from dyncp.cli import commands
from dyncp.evaluation.day.spurts import noise_left_db
from dyncp.export.formats.bundle import read_bundle
from dyncp.firmware.host.library import host_library
from dyncp.firmware.report.contents.day import DayRecord
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.day.day import Day, make_day
from dyncp.train.day.recipe import CONDITIONS
from dyncp.train.network.checkpoint import write_checkpoint

MINUTES = 1.0
# Gates that hold: what a frame costs depends on its place in the period.
HELD = SHAPES[0].model_copy(update={"gate_period": 4})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measure")
    small_corpus(folder / "corpus", frames=600)
    write_checkpoint(folder / "network", trained_enough(HELD), Config(network=HELD), 1, [0.5] * HELD.blocks, 0.1)
    run("export", folder / "network", folder / "bundle", "--corpus", folder / "corpus", "--clips", 0)
    return folder


@pytest.fixture(scope="module")
def day(folder: Path) -> Day:
    return make_day(load_corpus(folder / "corpus"), "test", MINUTES)


def evaluate(folder: Path, *options: object) -> DayRecord:
    network = (folder / "network", folder / "bundle")
    result = run("evaluate", *network, "--corpus", folder / "corpus", "--day", "--minutes", MINUTES, "--json", *options)
    return DayRecord.model_validate_json(result.stdout)


@pytest.fixture(scope="module")
def record(folder: Path) -> DayRecord:
    options = ("--cores", "cortex-m4,cortex-m55", "--microwatts-per-mhz", 100, "--out", folder / "day.json")
    return evaluate(folder, *options)


@pytest.mark.slow
def test_rows_sum_up_the_frames(folder: Path, day: Day, record: DayRecord) -> None:
    with host_library(read_bundle(folder / "bundle")) as library:
        heard = library.run(pad_to_hop(day.stream.noisy, extra_hops=1))
    macs = HELD.macs_by_frame(heard.active)[:-1]
    for row in record.rows[:-1]:
        chosen = day.condition == CONDITIONS.index(row.condition)
        assert row.frames == chosen.sum()
        assert row.macs.mean == pytest.approx(macs[chosen].mean())
        assert (row.macs.p5, row.macs.p95) == pytest.approx(tuple(np.percentile(macs[chosen], (5, 95))))
        assert row.active == pytest.approx(heard.active[:-1][chosen].mean())
    assert record.day.macs.mean == pytest.approx(macs.mean())
    assert sum(row.share for row in record.rows[:-1]) == pytest.approx(1)
    assert record.bundle_hash == read_bundle(folder / "bundle").hash


@pytest.mark.slow
def test_instructions_cycles_and_energy_by_condition(record: DayRecord) -> None:
    for core in ("cortex-m4", "cortex-m55"):
        means = [row.instructions[core].mean * row.share for row in record.rows[:-1]]
        assert sum(means) == pytest.approx(record.day.instructions[core].mean)
        assert max(row.instructions[core].max for row in record.rows[:-1]) == record.day.instructions[core].max
    assert record.cycles is not None
    for row in record.rows:
        assert row.cycles is not None
        assert row.microjoules == pytest.approx(row.cycles * 100 * 1e-6)
        per_instruction = row.cycles / row.instructions["cortex-m4"].mean
        assert per_instruction == pytest.approx(record.cycles.estimate / record.cycles.instructions, rel=1e-3)


@pytest.mark.slow
def test_the_gates_balance_adds_up(record: DayRecord) -> None:
    assert set(record.balance) == {"cortex-m4", "cortex-m55"}
    for core, balance in record.balance.items():
        assert balance.frame == pytest.approx(record.day.instructions[core].mean, rel=0.01)
        assert 0 < balance.deciding < balance.network < balance.frame
        # Every channel active takes more in the layers that skip than these masks leave active.
        assert balance.saved > 0
        assert balance.net_share == pytest.approx((balance.saved - balance.deciding) / balance.ungated)
        assert balance.probes is None
        assert balance.probe_share is None


@pytest.mark.slow
def test_quality_is_of_the_spurts(record: DayRecord, day: Day) -> None:
    quality = record.quality
    speech_s = float((day.condition == CONDITIONS.index("speech")).sum()) * HOP / 16_000
    assert 0 < quality.seconds <= speech_s
    assert quality.stretches + quality.left_out == sum(s.kind == "conversation" for s in day.stretches)
    assert sum(row.stretches for row in quality.by_snr) == quality.stretches
    assert quality.gain.si_sdr == pytest.approx(quality.int8.si_sdr - quality.noisy.si_sdr)


@pytest.mark.slow
def test_a_report_leads_with_the_day(folder: Path, record: DayRecord) -> None:
    assert DayRecord.model_validate_json((folder / "day.json").read_bytes()) == record
    noisy = next((folder / "corpus" / "speech").iterdir())
    out = folder / "validation"
    run("validate", folder / "bundle", noisy, "--out", out, "--board", "cortex-m4")
    told = run("report", folder / "bundle", out, "--out", folder / "report", "--day", folder / "day.json")
    assert "digital silence" in told.stdout
    document = json.loads((folder / "report" / "report.json").read_bytes())
    assert document["day"] == record.model_dump(mode="json")
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert f"{record.balance['cortex-m4'].ungated:,.0f}" in page
    assert "Gates over a day" in told.stdout
    assert page.index("Work over a day") < page.index("Listen")
    assert f"{record.day.macs.mean:,.0f}" in page


def test_noise_left_is_the_output_over_the_input(day: Day) -> None:
    quieter = (day.stream.noisy // 10).astype(np.int16)
    noise, speech, silence = (CONDITIONS.index(name) for name in ("noise", "speech", "silence"))
    assert noise_left_db(day, quieter, noise) == pytest.approx(-20, abs=1)
    assert noise_left_db(day, day.stream.noisy, noise) == pytest.approx(0)
    assert noise_left_db(day, quieter, speech) is None
    assert noise_left_db(day, quieter, silence) is None
    nothing = np.zeros_like(quieter)
    left = noise_left_db(day, nothing, noise)
    assert left is not None
    assert np.isfinite(left)
    assert left < -30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        (("--day",), BundleError, "--day measures an integer network: name its BUNDLE"),
        (("--cores", "cortex-m4"), ConfigError, "give --day as well"),
        (("--out", "x.json"), ConfigError, "--out is the file of one result"),
    ],
)
def test_options_that_do_not_fit(
    folder: Path, arguments: tuple[str, ...], error: type[Exception], complaint: str
) -> None:
    words = ["evaluate", str(folder / "network"), "--corpus", str(folder / "corpus"), *arguments]
    with pytest.raises(error, match=complaint):
        CliRunner().invoke(commands, words, catch_exceptions=False)


@pytest.mark.slow
def test_an_unknown_core_is_refused_before_the_work(folder: Path) -> None:
    with pytest.raises(ConfigError, match="cortex-m99: no such board"):
        evaluate(folder, "--cores", "cortex-m99")
