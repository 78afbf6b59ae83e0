# SPDX-License-Identifier: Apache-2.0
"""From a bundle and its validation folder to `report.json` and `report.html`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import GenerationError, ReportError
from dyncp.base.quality import Comparison
from dyncp.base.tasks import Task
from dyncp.base.version import __version__
from dyncp.codegen import accounting
from dyncp.codegen.generate import with_signals
from dyncp.codegen.lowering.probes import silence
from dyncp.export.formats.bundle import ARITHMETIC_VERSION, Bundle, Probes
from dyncp.export.formats.masks import channel_bits, unpack_masks
from dyncp.export.integers.readout import probe_signals
from dyncp.export.integers.truth import read_truth
from dyncp.export.transforms.resampling import RESAMPLING_MACS
from dyncp.firmware.cost.estimate import NO_WAIT, UserBoard, estimate
from dyncp.firmware.proof.records import RECORD, HostRecord, TargetRecord, ValidationRecord
from dyncp.firmware.report.contents import schema
from dyncp.firmware.report.contents.day import DayRecord
from dyncp.firmware.report.contents.groups import STAGE_GROUPS, stage_group
from dyncp.firmware.report.contents.signals import SignalsReport, report_signals
from dyncp.firmware.report.contents.validation import Validation, parse_record, read_validation
from dyncp.firmware.report.writing import write_report as write_report


def build_report(
    bundle: Bundle,
    validation_folder: Path,
    quality: Path | None = None,
    truth: Path | None = None,
    board: UserBoard = NO_WAIT,
    day: Path | None = None,
) -> schema.Report:
    """All figures of a validated bundle.

    `quality` is the JSON file of the float/int8 comparison, `truth` the CSV of the signals' true values and `day` the
    file of `dyncp evaluate --day`, where there are such; `board` is what the cycles are estimated for. Raises
    ReportError, naming file and field, for a folder that is incomplete, altered or of another bundle, for a day of
    another bundle, for a truth that does not fit the audio or the probes, for a board where no cycles were counted, and
    where the mask trace does not predict the device's count of multiply–accumulates exactly.
    """
    tasks = bundle.probes.tasks if bundle.probes else []
    bundle = _as_validated(bundle, validation_folder)
    validation = read_validation(validation_folder, bundle.config, bundle.hash, bundle.probe_outputs)
    if board != NO_WAIT and not any(target.cycles for target in validation.record.targets):
        raise ReportError(
            f"{validation_folder / RECORD}: targets: none has cycles to estimate from; "
            "validate with --cycles and the board cortex-m4 or cortex-m0"
        )
    planned = accounting.memory(bundle, validation.record.in_place_fft)
    return schema.Report(
        schema="dyncp-report",
        versions=schema.Versions(
            dyncp=__version__,
            arithmetic=ARITHMETIC_VERSION,
            python=platform.python_version(),
            numpy=np.__version__,
        ),
        bundle=schema.BundleInfo(
            hash=bundle.hash,
            probes_hash=bundle.probes_hash,
            sources=bundle.sources,
            network=bundle.config,
        ),
        audio=schema.Audio(
            sample_rate=bundle.config.sample_rate,
            hop=bundle.config.hop,
            frames=validation.record.frames,
            seconds=validation.record.frames / bundle.config.framing.frames_per_second,
            delay_ms=bundle.config.framing.delay_ms,
            latency_ms=bundle.config.framing.latency_ms,
        ),
        verdict=_verdict(validation.record),
        macs=_macs(validation, bundle.config),
        utilization=_utilization(validation.active, bundle.config),
        probes=None if bundle.probes is None else _probes(bundle, bundle.probes, validation.active),
        memory=schema.MemoryReport(
            **_largest_library(validation.record.targets).model_dump(),
            state_members=planned.state_parts,
            scratch_buffers=planned.scratch_buffers,
        ),
        host=_host(validation.record.host),
        targets=[_target(target, board, bundle.config.framing) for target in validation.record.targets],
        quality=None if quality is None else _quality(quality),
        day=None if day is None else _day(day, bundle),
        signals=_signals(bundle, validation, truth, tasks),
    )


def _quality(path: Path) -> Comparison:
    comparison = parse_record(Comparison, path)
    if comparison.int8 is None:
        raise ReportError(f"{path}: int8 is null: made without a bundle; use the file of `dyncp export --quality`")
    return comparison


def _day(path: Path, bundle: Bundle) -> DayRecord:
    record = parse_record(DayRecord, path)
    if record.bundle_hash != bundle.hash:
        raise ReportError(
            f"{path}: bundle_hash is {record.bundle_hash[:12]}…, but this bundle's hash is {bundle.hash[:12]}…; "
            "run `dyncp evaluate --day` on this bundle"
        )
    return record


def _as_validated(bundle: Bundle, folder: Path) -> Bundle:
    """The bundle with the probe tasks that the validated library had."""
    record = parse_record(ValidationRecord, folder / RECORD)
    if record.bundle_hash != bundle.hash or record.tasks is None:
        return bundle
    try:
        return with_signals(bundle, record.tasks)
    except GenerationError as error:
        raise ReportError(f"{folder / RECORD}: tasks: {error}") from None


def _signals(bundle: Bundle, validation: Validation, truth: Path | None, known: Sequence[Task]) -> SignalsReport | None:
    """`known` tasks may have a column in the truth, also those that the validated library was made without."""
    labels = {} if truth is None else read_truth(truth, known, validation.record.frames, bundle.config.framing)
    if bundle.probes is None or validation.probes is None:
        return None
    words = probe_signals(bundle.probes, validation.probes)
    active = validation.active.sum(axis=(1, 2), dtype=np.int64)
    return report_signals(bundle, words, active, validation.macs, labels)


def _verdict(record: ValidationRecord) -> schema.Verdict:
    engines: list[TargetRecord | HostRecord] = [record.host, *record.targets]
    mismatches = sum(engine.mismatches.total for engine in engines)
    complete = all(engine.frames == record.frames for engine in engines)
    return schema.Verdict(
        passed=bool(record.targets) and complete and record.exact,
        cores=len(record.targets),
        frames=record.frames,
        mismatches=mismatches,
    )


def _macs(validation: Validation, config: NetworkConfig) -> schema.Macs:
    macs = validation.macs
    p50, p95 = np.percentile(macs, (50, 95))
    return schema.Macs(
        per_frame=schema.MacsPerFrame(
            min=int(macs.min()),
            mean=float(macs.mean()),
            p50=float(p50),
            p95=float(p95),
            max=int(macs.max()),
            all_active=config.macs_with(config.gated * config.blocks),
            capped=config.most_macs if config.capped else None,
            none_active=config.least_macs,
        ),
        by_layer=_layers(validation.active, config),
        resampling=RESAMPLING_MACS,
    )


def _layers(active: NDArray[np.bool_], config: NetworkConfig) -> list[schema.LayerMacs]:
    mean_active = {f"block{i}": float(count) for i, count in enumerate(active.sum(axis=2).mean(axis=0))}
    return [
        schema.LayerMacs(
            layer=layer.name,
            mean=layer.dense + layer.per_active * mean_active.get(layer.name.split("_")[0], 0.0),
            all_active=layer.dense + layer.per_active * config.gated,
            none_active=layer.dense,
        )
        for layer in accounting.macs_by_layer(config)
    ]


def _utilization(active: NDArray[np.bool_], config: NetworkConfig) -> schema.Utilization:
    return schema.Utilization(
        mean=float(active.mean()),
        by_block=[
            _block_utilization(active[:, block], block, dilation)
            for block, dilation in enumerate(config.block_dilations)
        ],
    )


def _block_utilization(active: NDArray[np.bool_], block: int, dilation: int) -> schema.BlockUtilization:
    """`active` is the block's, bool [frames, N]."""
    frames, channels = active.shape
    always, never = int(active.all(axis=0).sum()), int((~active).all(axis=0).sum())
    return schema.BlockUtilization(
        block=block,
        dilation=dilation,
        channels=channels,
        mean=float(active.mean()),
        always_active=always,
        never_active=never,
        switching=channels - always - never,
        flips_per_frame=float((active[1:] != active[:-1]).sum() / max(1, frames - 1)),
    )


def _probes(bundle: Bundle, probes: Probes, active: NDArray[np.bool_]) -> schema.ProbeReport:
    """Each flipped bit adds or subtracts one weight per output; the device starts from the masks of silence."""
    config, (features, outputs) = bundle.config, probes.weight.shape
    read = np.isin(channel_bits(config), probes.channel)
    start = unpack_masks(silence(bundle).masks, config)
    bits = np.vstack([start, active])[:, read]
    before, bits = bits[:-1], bits[1:]
    flips = (bits != before).sum(axis=1)
    return schema.ProbeReport(
        outputs=outputs,
        features=features,
        table_bytes=accounting.probe_bytes(bundle),
        set_per_frame=float(bits.sum(axis=1).mean()),
        flips_per_frame=_counts(flips, features),
        adds_per_frame=_counts(flips * outputs, features * outputs),
        tasks=probes.tasks,
    )


def _counts(values: NDArray[np.int64], bound: int) -> schema.CountsPerFrame:
    p95 = float(np.percentile(values, 95))
    return schema.CountsPerFrame(mean=float(values.mean()), p95=p95, max=int(values.max()), bound=bound)


def _probe_instructions(record: TargetRecord) -> schema.ProbeInstructions | None:
    spread, frame = record.probe_instructions, record.instructions_per_frame.mean
    if spread is None:
        return None
    share = schema.Share(mean=spread.mean / frame, p95=spread.p95 / frame, max=spread.max / frame)
    return schema.ProbeInstructions(mean=spread.mean, p95=spread.p95, max=spread.max, share=share)


def _target(record: TargetRecord, board: UserBoard, framing: Framing) -> schema.TargetReport:
    groups = dict.fromkeys(STAGE_GROUPS, 0.0)
    for stage, instructions in record.instructions_by_stage.items():
        groups[stage_group(stage)] += instructions
    memory = record.memory
    return schema.TargetReport(
        name=record.name,
        emulator=record.emulator,
        compiler=record.compiler,
        flags=record.flags,
        frames=record.frames,
        mismatches=record.mismatches.total,
        mismatches_by_kind=record.mismatches,
        constructed_mismatches=0 if record.constructed is None else record.constructed.mismatches.total,
        first_divergence=record.first_divergence,
        miscounted_frames=record.miscounted_frames,
        instructions_per_frame=record.instructions_per_frame,
        probe_instructions=_probe_instructions(record),
        instructions_by_stage=record.instructions_by_stage,
        instructions_by_group=groups,
        memory=_memory(record),
        stack_bytes=memory.stack,
        flash_bytes=memory.flash,
        ram_bytes=memory.ram,
        cross_checks=record.cross_checks,
        program_flash_bytes=memory.program_flash,
        program_ram_bytes=memory.program_ram,
        cycles=None if record.cycles is None else estimate(record.cycles, board, record.name, framing),
    )


def _host(record: HostRecord) -> schema.HostReport:
    return schema.HostReport(
        compiler=record.compiler,
        frames=record.frames,
        mismatches=record.mismatches.total,
        mismatches_by_kind=record.mismatches,
        constructed_mismatches=0 if record.constructed is None else record.constructed.mismatches.total,
        first_divergence=record.first_divergence,
    )


def _memory(record: TargetRecord) -> schema.LibraryMemory:
    memory = record.memory
    return schema.LibraryMemory(
        flash=schema.Flash(weights=memory.weights, tables=memory.tables, probes=memory.probes, code=memory.code),
        ram=schema.Ram(state=memory.state, scratch=memory.scratch),
    )


def _largest_library(records: Sequence[TargetRecord]) -> schema.LibraryMemory:
    """Of the core on which the library takes most flash; zeros without cores."""
    nothing = schema.LibraryMemory(
        flash=schema.Flash(weights=0, tables=0, probes=0, code=0), ram=schema.Ram(state=0, scratch=0)
    )
    return max((_memory(record) for record in records), key=lambda memory: memory.flash.total, default=nothing)
