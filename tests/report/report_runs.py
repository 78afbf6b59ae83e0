# SPDX-License-Identifier: Apache-2.0
"""A small validation folder whose parts agree with each other, made from random masks and synthetic audio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bundles import random_bundle
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.config.network import NetworkConfig
from dyncp.base.quality import Comparison, Score
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.formats.masks import pack_masks
from dyncp.export.integers.readout import probe_words
from dyncp.export.integers.truth import write_truth
from dyncp.firmware.proof.records import (
    RECORD,
    Divergence,
    HostRecord,
    Memory,
    Mismatches,
    Spread,
    TargetRecord,
    ValidationRecord,
    write_validation,
)

CORES = ("cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
NONE_DIFFER = Mismatches(output=0, masks=0, probes=0, signals=0, macs=0, layers=0)
FRAMES = 200

NOISY = Score(pesq=1.35, stoi=0.8, estoi=0.6, si_sdr=5.0)
FLOAT = Score(pesq=1.79, stoi=0.86, estoi=0.7, si_sdr=11.0)
INT8 = Score(pesq=1.77, stoi=0.859, estoi=0.69, si_sdr=10.9)
COMPARISON = Comparison(
    clips=20,
    frames=5000,
    noisy=NOISY,
    float_=FLOAT,
    int8=INT8,
    float_gain=FLOAT - NOISY,
    int8_gain=INT8 - NOISY,
    by_snr=[],
    agreement_db=24.5,
    differing_mask_bits=0.003,
    differing_informative_bits=0.004,
    informative_masks=17,
    always_on=2,
    always_off=3,
    utilization=[0.25, 0.27],
    utilization_float=0.25,
    utilization_int8=0.26,
    macs_per_frame=1234.5,
    macs_p95=1300.0,
    macs_all_active=2000,
    macs_bound=1800,
)


@dataclass
class Run:
    """A bundle and the folder of its validation; `write` puts a changed record back."""

    bundle: Bundle
    folder: Path
    active: NDArray[np.bool_]
    record: ValidationRecord

    def write(self, record: ValidationRecord) -> None:
        (self.folder / RECORD).write_text(record.model_dump_json(indent=2), encoding="utf-8")


def make_run(config: NetworkConfig, tmp_path: Path, frames: int = FRAMES) -> Run:
    random = np.random.default_rng(2)
    active = slow_masks(random, frames, config)
    bundle = random_bundle(config, seed=1)
    assert bundle.probes is not None
    # Voice activity comes and goes.
    bundle.probes.bias[0] -= int(np.median(probe_words(bundle.probes, config, active)[:, 0]))
    write_bundle(bundle, tmp_path / "bundle")
    folder = tmp_path / "validation"
    folder.mkdir()
    macs = np.array([config.macs(int(n)) for n in active.sum(axis=(1, 2))])
    noisy, enhanced = synthetic_audio(random, frames)
    record = ValidationRecord(
        bundle_hash=bundle.hash,
        frames=frames,
        host=HostRecord(compiler="gcc 12.2.0", frames=frames, mismatches=NONE_DIFFER, first_divergence=None),
        targets=[target(name, i, bundle, frames) for i, name in enumerate(CORES)],
    )
    words = probe_words(bundle.probes, config, active)
    write_validation(folder, record, noisy, enhanced, pack_masks(active, config), macs, words)
    return Run(bundle, folder, active, record)


def write_truth_of(run: Run, path: Path) -> dict[str, NDArray[np.generic]]:
    """A truth that the probes of `run`, being random, meet by chance alone; returns its labels."""
    frame = np.arange(run.record.frames)
    labels = {
        "vad": (frame // 30 % 3 > 0).astype(np.int16),
        "noise": (frame // 50 % 4 - 1).astype(np.int16),
        "snr": (10 * np.sin(frame / 20)).astype(np.float32),
    }
    assert run.bundle.probes is not None
    write_truth(path, run.bundle.probes.tasks, labels)
    return labels


def slow_masks(random: np.random.Generator, frames: int, config: NetworkConfig) -> NDArray[np.bool_]:
    """Bits that keep their value for some frames, as those of gates do; each channel with its own share."""
    share = random.beta(0.4, 1.0, (config.blocks, config.gated))
    held = np.repeat(random.random((-(-frames // 8), config.blocks, config.gated)), 8, axis=0)
    return np.asarray(held[:frames] < share)


def synthetic_audio(random: np.random.Generator, frames: int) -> tuple[Pcm, Pcm]:
    """(noisy, enhanced)."""
    time = np.arange(frames * HOP) / SAMPLE_RATE
    voiced = np.sin(2 * np.pi * 3 * time) > 0
    speech = voiced * sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 20)) * 3000
    noise = random.normal(0, 900, len(time))
    noisy, enhanced = (np.clip(speech + part, -32768, 32767).astype(np.int16) for part in (noise, noise / 8))
    return noisy, enhanced


def target(name: str, place: int, bundle: Bundle, frames: int) -> TargetRecord:
    """A record with figures that differ from core to core: stage s takes 100·(s + 1)·(6 − place) instructions."""
    names = [*(stage.name for stage in stages(bundle.config, bundle.probe_outputs)), "call"]
    by_stage = {stage: 100.0 * (i + 1) * (6 - place) for i, stage in enumerate(names)}
    mean = sum(by_stage.values())
    return TargetRecord(
        name=name,
        emulator=f"qemu-system-arm 7.2.15 -machine machine-{place}",
        compiler="arm-none-eabi-gcc 12.2.1",
        flags=f"-O2 -mcpu={name}",
        frames=frames,
        mismatches=NONE_DIFFER,
        first_divergence=None,
        instructions_per_frame=Spread(mean=mean, p95=1.1 * mean, max=int(1.25 * mean)),
        instructions_by_stage=by_stage,
        memory=Memory(
            weights=40_000,
            tables=6_000,
            probes=2_000,
            code=9_000 + 100 * place,
            state=7_000,
            scratch=9_000,
            stack=600 + 8 * place,
            flash=70_000 + place,
            ram=20_000 + place,
        ),
    )


def spoiled(record: ValidationRecord) -> ValidationRecord:
    """The same run, in which four words of the second core differ."""
    first, second, *others = record.targets
    second = second.model_copy(
        update={
            "mismatches": Mismatches(output=1, masks=0, probes=0, signals=0, macs=0, layers=3),
            "first_divergence": Divergence(frame=3, stage="front", channel=2, expected=7, actual=8),
        }
    )
    return record.model_copy(update={"targets": [first, second, *others]})
