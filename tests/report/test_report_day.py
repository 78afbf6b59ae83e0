# SPDX-License-Identifier: Apache-2.0
"""A day in the report: its rows in JSON, page and terminal, and its refusal where it is of another bundle."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import typer.main
from report_runs import INT8, NOISY, Run
from rich.console import Console

from dyncp.base.errors import ReportError
from dyncp.cli import commands
from dyncp.firmware.proof.records import Spread
from dyncp.firmware.report.build import build_report, write_report
from dyncp.firmware.report.contents.day import ConditionRow, DayRecord, MacsSpread, SpurtQuality
from dyncp.firmware.report.terminal import print_report

pytestmark = pytest.mark.slow

BY_NAME = typer.main.get_group(commands).commands
MEANS = {"speech": 1900, "pause": 700, "silence": 650, "day": 1100}


def record(bundle_hash: str) -> DayRecord:
    rows = [
        ConditionRow.model_validate(
            {
                "condition": name,
                "frames": 100,
                "share": 1 / 3,
                "macs": MacsSpread(mean=mean, p5=mean - 50, p95=mean + 50),
                "active": 7.5,
                "instructions": {"cortex-m4": Spread(mean=10.0 * mean, p95=11.0 * mean, max=12 * mean)},
                "noise_left_db": -23.4 if name == "pause" else None,
            }
        )
        for name, mean in MEANS.items()
    ]
    quality = SpurtQuality(stretches=3, left_out=0, seconds=21.0, noisy=NOISY, int8=INT8, gain=INT8 - NOISY, by_snr=[])
    return DayRecord(
        bundle_hash=bundle_hash,
        recipe_hash="1" * 64,
        audio_hash="2" * 64,
        split="test",
        seed=0,
        minutes=3,
        channels=64,
        macs_all_active=2000,
        rows=rows,
        quality=quality,
    )


def written(day: DayRecord, folder: Path) -> Path:
    path = folder / "day.json"
    path.write_text(day.model_dump_json(), encoding="utf-8")
    return path


def test_json_page_and_terminal_tell_the_day(run: Run, tmp_path: Path) -> None:
    day = record(run.bundle.hash)
    report = build_report(run.bundle, run.folder, day=written(day, tmp_path))
    assert report.day == day
    _, html = write_report(report, run.folder, tmp_path / "out")
    page = html.read_text(encoding="utf-8")
    assert page.index("MACs over a day") < page.index("MACs per frame")
    assert page.index("Work over a day") < page.index("<h2>Listen")
    for text in ("1,900", "pause in conversation", "−23.4", "Instructions, cortex-m4", "19,000"):
        assert text in page
    told = io.StringIO()
    print_report(report, Console(file=told, width=120))
    assert "digital silence" in told.getvalue()
    assert "7,000" in told.getvalue()
    assert all(line.strip() for line in told.getvalue().splitlines()), "no blank lines where it is no terminal"


def test_without_a_day_the_page_tells_the_commands_that_measure_one(run: Run, tmp_path: Path) -> None:
    report = build_report(run.bundle, run.folder)
    _, html = write_report(report, run.folder, tmp_path / "out")
    assert report.day is None
    page = html.read_text(encoding="utf-8")
    assert "MACs over a day" not in page
    told = re.findall(r"^.*?dyncp (evaluate|report) (.*?)(?:</code>.*)?$", page, re.MULTILINE)
    assert [command for command, _ in told] == ["evaluate", "report"]
    for command, arguments in told:
        known = {option for parameter in BY_NAME[command].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", arguments)) <= known
        assert "--day" in arguments


def test_a_day_of_another_bundle_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"day\.json: bundle_hash is 333"):
        build_report(run.bundle, run.folder, day=written(record("3" * 64), tmp_path))
