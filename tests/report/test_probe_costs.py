# SPDX-License-Identifier: Apache-2.0
"""What the report says of the probes' cost: flips, tables, instructions and their share of a frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_runs import FRAMES, Run, make_run
from rich.console import Console

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ReportError
from dyncp.codegen.generate import with_signals
from dyncp.export.integers.readout import probe_words
from dyncp.firmware.proof.records import Spread
from dyncp.firmware.report.build import build_report
from dyncp.firmware.report.terminal import print_report


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = make_run(NetworkConfig(channels=8, hidden=16, stacks=1, dilations=(1, 2), gate=4), tmp_path)
    cost = Spread(mean=100.0, p95=200.0, max=4000)
    targets = [target.model_copy(update={"probe_instructions": cost}) for target in made.record.targets]
    made.record = made.record.model_copy(update={"targets": targets})
    made.write(made.record)
    return made


def test_flips_tables_and_shares(run: Run) -> None:
    report = build_report(run.bundle, run.folder)
    probes, bundle = report.probes, run.bundle.probes
    assert probes is not None
    assert bundle is not None
    flips, adds = probes.flips_per_frame, probes.adds_per_frame
    assert adds.model_dump() == pytest.approx({name: 5 * value for name, value in flips.model_dump().items()})
    assert flips.bound == len(bundle.channel)
    bits = np.unpackbits(np.load(run.folder / "masks.npy").view(np.uint8), axis=1, bitorder="little")
    assert probes.set_per_frame == pytest.approx(bits[:, bundle.channel].sum(axis=1).mean())
    assert 0 < probes.set_per_frame < flips.bound
    # Rows of 8 weights for 5 outputs, two of zeros, biases, words of silence; for each word of masks 32 rows, silence.
    words = run.bundle.config.mask_words
    assert probes.table_bytes == 8 * (len(bundle.channel) + 2) + 2 * 4 * 5 + (2 * 32 + 4) * words
    for target in report.targets:
        cost, frame = target.probe_instructions, target.instructions_per_frame.mean
        assert cost is not None
        assert (cost.mean, cost.p95, cost.max) == (100.0, 200.0, 4000)
        shares = {"mean": 100 / frame, "p95": 200 / frame, "max": 4000 / frame}
        assert cost.share.model_dump() == pytest.approx(shares)


def test_the_terminal_shows_them(run: Run) -> None:
    console = Console(width=100, record=True, quiet=False)
    report = build_report(run.bundle, run.folder)
    print_report(report, console)
    text = console.export_text()
    cost = report.targets[0].probe_instructions
    assert cost is not None
    assert f"{cost.share.mean:.3%}" in text
    assert f"{report.probes.table_bytes:,} bytes" in text if report.probes else False
    assert "share of a mean frame" in text


def test_a_library_of_some_signals(run: Run) -> None:
    some = with_signals(run.bundle, ["noise"])
    np.save(run.folder / "probes.npy", probe_words(some.probes, some.config, run.active))
    run.write(run.record.model_copy(update={"tasks": ["noise"]}))
    report = build_report(run.bundle, run.folder)
    assert report.probes is not None
    assert [task.name for task in report.probes.tasks] == ["noise"]
    assert report.probes.outputs == 3
    assert report.bundle.probes_hash == some.probes_hash != run.bundle.probes_hash
    assert report.audio.frames == FRAMES
    run.write(run.record.model_copy(update={"tasks": ["pitch"]}))
    with pytest.raises(ReportError, match=r"validation\.json: tasks: .*no task 'pitch'"):
        build_report(replace(run.bundle), run.folder)
