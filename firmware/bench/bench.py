# SPDX-License-Identifier: Apache-2.0
"""`make bench`: what a network costs on every core, by kernel, beside its dense frame and beside CMSIS-NN."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ToolchainError
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.firmware.cost import baselines
from dyncp.firmware.cost.events import CycleEstimate
from dyncp.firmware.proof.validate import validate
from dyncp.firmware.report.build import build_report
from dyncp.firmware.report.contents.schema import LibraryMemory, Report, TargetReport

DENSE_FRAMES = 16
"""Each costs about the same."""

FRONT_END = ("spectrum", "features", "suppression", "synthesis")

OPEN = 2**30
"""A bias that no sum outweighs (docs/arithmetic.md, section 6)."""


class Kernel(StrictModel):
    """Executed instructions per multiply–accumulate, everything that the kernel's stage does included."""

    dense: float = Field(description="with every channel active")
    gated: float = Field(description="with the network's own masks")
    cmsis_nn: float = Field(description="of the kernel of CMSIS-NN that lies closest, dense")


class Core(StrictModel):
    """One core. Instructions are per frame."""

    name: str
    compiler: str
    flags: str
    mean: float
    p95: float
    max: int
    all_active: float
    cmsis_nn: float = Field(description="what CMSIS-NN would take for the dense network and its residual additions")
    front_end: float = Field(description="of the stages " + ", ".join(FRONT_END))
    probes_mean: float
    probes_max: int
    kernels: dict[str, Kernel]
    memory: LibraryMemory
    stack_bytes: int
    flash_bytes: int = Field(description="the whole image")
    ram_bytes: int = Field(description="the whole image and the stack")
    cycles: CycleEstimate | None = Field(description="an estimate (docs/cycles.md), without wait states")

    @property
    def network_all_active(self) -> float:
        """Without the front end and the probes."""
        return self.all_active - self.front_end - self.probes_mean


class Bench(StrictModel):
    bundle_hash: str
    network: NetworkConfig
    frames: int
    utilization: float
    macs_mean: float
    macs_all_active: int
    cores: list[Core]


def bench(bundle: Bundle, pcm: NDArray[np.int16], work: Path, in_place_fft: bool = False) -> Bench:
    """Count on int16 PCM [n · 256], once as the network gates itself and once with every gate open.

    `in_place_fft` is that of `generate`. Everything that is built stays in the folder `work`. Raises ToolchainError if
    an engine is missing or fails, or differs from the reference in any word.
    """
    own = _report(bundle, pcm, work / "gated", in_place_fft)
    dense = _report(every_gate_open(bundle), pcm[: DENSE_FRAMES * HOP], work / "dense", in_place_fft)
    return Bench(
        bundle_hash=bundle.hash,
        network=bundle.config,
        frames=own.audio.frames,
        utilization=own.utilization.mean,
        macs_mean=own.macs.per_frame.mean,
        macs_all_active=own.macs.per_frame.all_active,
        cores=[
            _core(gated, full, own, dense, bundle.config)
            for gated, full in zip(own.targets, dense.targets, strict=True)
        ],
    )


def every_gate_open(bundle: Bundle) -> Bundle:
    """The same network without decisions, and without a cap."""
    biases = {name: np.full_like(t, OPEN) for name, t in bundle.tensors.items() if name.endswith("gate.score.bias")}
    config = bundle.config.model_copy(update={"block_cap": None, "frame_cap": None})
    return replace(bundle, config=config, tensors=bundle.tensors | biases)


def _report(bundle: Bundle, pcm: NDArray[np.int16], work: Path, in_place_fft: bool) -> Report:
    write_bundle(bundle, work / "bundle")
    library = generate(bundle, work / "library", in_place_fft=in_place_fft)
    record = validate(bundle, library, pcm, work, boards=baselines.CORES, trace=False, cycles=True)
    if not record.exact:
        raise ToolchainError(
            f"{work / 'validation.json'}: not bit-exact, so its counts mean nothing; run dyncp validate"
        )
    return build_report(bundle, work)


def _core(gated: TargetReport, dense: TargetReport, own: Report, full: Report, config: NetworkConfig) -> Core:
    spread, probes = gated.instructions_per_frame, gated.probe_instructions
    own_macs, own_counts = _by_kernel(own, gated)
    macs, counts = _by_kernel(full, dense)
    reference = {kernel: by_core[gated.name] for kernel, by_core in baselines.KERNELS.items()}
    additions = config.blocks * config.channels * baselines.ADD[gated.name]
    return Core(
        name=gated.name,
        compiler=gated.compiler,
        flags=gated.flags,
        mean=spread.mean,
        p95=spread.p95,
        max=spread.max,
        all_active=dense.instructions_per_frame.mean,
        cmsis_nn=sum(macs[kernel] * per_mac for kernel, per_mac in reference.items()) + additions,
        front_end=sum(dense.instructions_by_stage[stage] for stage in FRONT_END),
        probes_mean=0 if probes is None else probes.mean,
        probes_max=0 if probes is None else probes.max,
        kernels={
            kernel: Kernel(
                dense=counts[kernel] / macs[kernel],
                # A network that never opens a gate has no cost per multiply–accumulate.
                gated=own_counts[kernel] / max(1, own_macs[kernel]),
                cmsis_nn=per_mac,
            )
            for kernel, per_mac in reference.items()
        },
        memory=gated.memory,
        stack_bytes=gated.stack_bytes,
        flash_bytes=gated.flash_bytes,
        ram_bytes=gated.ram_bytes,
        cycles=gated.cycles,
    )


def _by_kernel(report: Report, target: TargetReport) -> tuple[dict[str, float], dict[str, float]]:
    """Multiply–accumulates and instructions per frame, means."""
    macs: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    for layer in report.macs.by_layer:
        kernel = "back" if layer.layer == "logits" else layer.layer.rpartition("_")[2]
        macs[kernel] += layer.mean
        counts[kernel] += target.instructions_by_stage[layer.layer]
    return macs, counts
