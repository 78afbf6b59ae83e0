# SPDX-License-Identifier: Apache-2.0
"""report.json: its keys, and its numbers against the arrays that they sum up."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from report_runs import COMPARISON, FRAMES, Run, make_run, spoiled
from rich.console import Console

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.codegen.plan.layout import layout
from dyncp.export.formats.masks import channel_bits, unpack_masks
from dyncp.export.integers import reference
from dyncp.firmware.proof.records import Spread
from dyncp.firmware.report.build import build_report, write_report
from dyncp.firmware.report.contents.schema import Report
from dyncp.firmware.report.contents.signals import SignalsReport
from dyncp.firmware.report.terminal import print_report

pytestmark = pytest.mark.slow

OWN = (Report.__module__, SignalsReport.__module__)
DOCUMENT = Path(__file__).parents[2] / "docs" / "report.md"


def test_written_json_reads_back(run: Run, tmp_path: Path) -> None:
    report = build_report(run.bundle, run.folder)
    json_path, html_path = write_report(report, run.folder, tmp_path / "deep" / "out")
    assert Report.model_validate_json(json_path.read_bytes()) == report
    document = json.loads(json_path.read_bytes())
    assert document["schema"] == "dyncp-report"
    assert document["schema_version"] == 1
    assert document["bundle"]["hash"] == run.bundle.hash
    assert document["audio"] == {
        "sample_rate": 16000,
        "hop": 256,
        "frames": FRAMES,
        "seconds": FRAMES * 256 / 16000,
        "delay_ms": 16.0,
        "latency_ms": 32.0,
    }
    assert html_path.name == "report.html"


def test_writing_twice_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    report = build_report(run.bundle, run.folder)
    first, second = (write_report(report, run.folder, tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_macs_per_frame(run: Run) -> None:
    macs = build_report(run.bundle, run.folder).macs
    counted = np.load(run.folder / "macs.npy").astype(np.int64)
    config = run.bundle.config
    per_frame = macs.per_frame
    assert (per_frame.min, per_frame.max) == (counted.min(), counted.max())
    assert per_frame.mean == counted.mean()
    assert (per_frame.p50, per_frame.p95) == tuple(np.percentile(counted, (50, 95)))
    assert (per_frame.all_active, per_frame.none_active) == (config.macs(4 * 8), config.macs(0))


@pytest.mark.parametrize(
    ("caps", "most", "shown"),
    [
        ({"block_cap": 6}, 24, "6 channels per block"),
        ({"frame_cap": 21}, 21, "21 channels per frame"),
        ({"block_cap": 6, "frame_cap": 21}, 21, "6 channels per block, 21 channels per frame"),
        ({"block_cap": 5, "frame_cap": 99}, 20, "5 channels per block, 99 channels per frame"),
    ],
    ids=str,
)
def test_the_capped_worst_case(tmp_path: Path, caps: dict[str, int], most: int, shown: str) -> None:
    shape = NetworkConfig(channels=8, hidden=16, stacks=2, dilations=(1, 2), gate=4, pooling_frames=13)
    run = make_run(shape.model_copy(update=caps), tmp_path)
    report = build_report(run.bundle, run.folder)
    assert report.macs.per_frame.capped == shape.macs(most) < report.macs.per_frame.all_active
    console = Console(file=io.StringIO(), width=200)
    print_report(report, console)
    assert f"{shape.macs(most):,} MACs: capped at {shown}" in console.file.getvalue()  # type: ignore[attr-defined]
    _, page = write_report(report, run.folder, tmp_path / "out")
    assert f"<td>{shape.macs(most):,}</td>" in page.read_text(encoding="utf-8")


def test_without_a_cap_there_is_no_capped_worst_case(run: Run, tmp_path: Path) -> None:
    report = build_report(run.bundle, run.folder)
    assert report.macs.per_frame.capped is None
    assert "<th>Capped</th>" not in write_report(report, run.folder, tmp_path / "out")[1].read_text(encoding="utf-8")


def test_macs_by_layer_add_up(run: Run) -> None:
    macs = build_report(run.bundle, run.folder).macs
    assert sum(layer.all_active for layer in macs.by_layer) == macs.per_frame.all_active
    assert sum(layer.none_active for layer in macs.by_layer) == macs.per_frame.none_active
    assert sum(layer.mean for layer in macs.by_layer) == pytest.approx(macs.per_frame.mean, abs=1e-6)
    project = next(layer for layer in macs.by_layer if layer.layer == "block2_project")
    assert project.mean == pytest.approx(16 * run.active[:, 2].sum(axis=1).mean())


def test_utilization(run: Run) -> None:
    utilization = build_report(run.bundle, run.folder).utilization
    assert utilization.mean == run.active.mean()
    assert [block.dilation for block in utilization.by_block] == [1, 2, 1, 2]
    for index, block in enumerate(utilization.by_block):
        bits = run.active[:, index]
        assert block.mean == bits.mean()
        assert block.always_active == sum(bool(column.all()) for column in bits.T)
        assert block.never_active == sum(not column.any() for column in bits.T)
        assert block.always_active + block.never_active + block.switching == block.channels == 8
        assert block.flips_per_frame == np.abs(np.diff(bits.astype(int), axis=0)).sum() / (FRAMES - 1)


def test_probe_additions_are_flips_times_outputs(run: Run) -> None:
    probes = build_report(run.bundle, run.folder).probes
    assert probes is not None
    assert run.bundle.probes is not None
    features = len(run.bundle.probes.channel)
    assert (probes.outputs, probes.features) == (5, features)
    read = [bit in run.bundle.probes.channel for bit in channel_bits(run.bundle.config).ravel()]
    bits = run.active.reshape(FRAMES, -1)[:, read].astype(int)
    silent = reference.run(run.bundle, np.zeros(HOP, np.int16)).masks
    start = unpack_masks(silent, run.bundle.config).reshape(1, -1)[:, read].astype(int)
    bits = np.vstack([start, bits])  # the device starts from the masks of silence
    adds = [5 * int((now != before).sum()) for before, now in pairwise(bits)]
    assert probes.adds_per_frame.mean == np.mean(adds)
    assert probes.adds_per_frame.max == max(adds)
    assert probes.adds_per_frame.bound == 5 * features


def test_memory_and_targets(run: Run) -> None:
    report = build_report(run.bundle, run.folder)
    assert report.memory.flash.model_dump() == {
        "weights": 40_000,
        "tables": 6_000,
        "probes": 2_000,
        "code": 9_400,
    }
    assert report.memory.ram.model_dump() == {"state": 7_000, "scratch": 9_000}
    members, buffers = report.memory.state_members, report.memory.scratch_buffers
    assert members["overlap"] == 1024
    assert members["block0.history"] == 2 * 16
    structs = layout(run.bundle.config, run.bundle.probes)
    assert sum(members.values()) == structs.state.bytes - structs.scratch.bytes
    assert buffers["transform"] == 2048
    assert max(buffers.values()) < structs.scratch.bytes < sum(buffers.values())
    assert [target.name for target in report.targets] == [target.name for target in run.record.targets]
    last, record = report.targets[-1], run.record.targets[-1]
    assert last.memory.flash.code == 9_400
    assert (last.stack_bytes, last.flash_bytes, last.ram_bytes) == (632, 70_004, 20_004)
    assert sum(last.memory.flash.model_dump().values()) + last.program_flash_bytes == last.flash_bytes
    assert sum(last.memory.ram.model_dump().values()) + last.stack_bytes + last.program_ram_bytes == last.ram_bytes
    assert last.instructions_per_frame.model_dump() == record.instructions_per_frame.model_dump()
    assert last.instructions_by_stage == record.instructions_by_stage
    groups = last.instructions_by_group
    assert sum(groups.values()) == last.instructions_per_frame.mean
    assert groups["analysis"] == 2 * (100 + 200)
    assert groups["call"] == record.instructions_by_stage["call"]


def test_verdict_of_an_exact_run(run: Run) -> None:
    verdict = build_report(run.bundle, run.folder).verdict
    assert verdict.model_dump() == {"passed": True, "cores": 5, "frames": FRAMES, "mismatches": 0}


def test_verdict_counts_every_mismatch(run: Run) -> None:
    run.write(spoiled(run.record))
    report = build_report(run.bundle, run.folder)
    assert not report.verdict.passed
    assert report.verdict.mismatches == 4
    assert report.targets[1].mismatches == 4
    assert report.targets[1].first_divergence is not None


def test_verdict_needs_a_core(run: Run) -> None:
    run.write(run.record.model_copy(update={"targets": []}))
    assert not build_report(run.bundle, run.folder).verdict.passed


@pytest.mark.parametrize("fault", [{"frames": FRAMES - 1}, {"miscounted_frames": 1}], ids=str)
def test_verdict_needs_every_core_to_run_and_count_every_frame(run: Run, fault: dict[str, int]) -> None:
    first, *others = run.record.targets
    run.write(run.record.model_copy(update={"targets": [first.model_copy(update=fault), *others]}))
    assert not build_report(run.bundle, run.folder).verdict.passed


def test_quality_is_what_export_compares(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    path.write_text(COMPARISON.model_dump_json())
    quality = build_report(run.bundle, run.folder, path).quality
    assert quality == COMPARISON


def test_terminal_shows_verdict_and_cores(run: Run) -> None:
    run.write(spoiled(run.record))
    console = Console(file=io.StringIO(), width=80)
    print_report(build_report(run.bundle, run.folder), console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"Not bit-exact: 5 cores, {FRAMES} frames, 4 mismatches" in shown
    assert "frame 3, stage front, channel 2: expected 7, got 8" in " ".join(shown.split())
    for target in run.record.targets:
        assert target.name in shown
        assert f"{target.instructions_per_frame.max:,}" in shown


def test_document_names_every_key() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    missing = {name for name in keys(Report) if f"`{name}`" not in text}
    assert not missing


def keys(model: type[StrictModel], prefix: str = "") -> set[str]:
    """Dotted names of the report's own fields, down to what other documents define."""
    found = set()
    for name, field in model.model_fields.items():
        label = prefix + (field.alias or name)
        inner = [
            part
            for part in [field.annotation, *getattr(field.annotation, "__args__", ())]
            if isinstance(part, type) and issubclass(part, StrictModel) and (part.__module__ in OWN or part is Spread)
        ]
        is_list = getattr(field.annotation, "__origin__", None) is list
        found |= keys(inner[0], f"{label}[]." if is_list else f"{label}.") if inner else {label + "[]" * is_list}
    return found
