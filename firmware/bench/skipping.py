# SPDX-License-Identifier: Apache-2.0
"""Does a skipped channel save what it costs? Instructions of gated layers against active channels (docs/skipping.md).

Instructions depend on shapes and masks, not on weights: the networks here are random, with gates that always say the
same, a share of the channels from none in the first of nine blocks to all in the last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ToolchainError
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import LOGIT_SCALE, Bundle, Tensors, write_bundle
from dyncp.export.formats.layout import expected_scales, expected_tensors
from dyncp.export.transforms import frontend
from dyncp.firmware.cost import baselines
from dyncp.firmware.proof.records import TargetRecord
from dyncp.firmware.proof.validate import validate

Site = Literal["output", "hidden"]
SITES: tuple[Site, ...] = get_args(Site)

CHANNELS, HIDDEN = 128, 256

GATED = {"output": ("project",), "hidden": ("expand", "depthwise", "project")}
"""Layers that skip, by gate site."""

FRAMES = 4
"""Each costs the same."""


class Curve(StrictModel):
    """One core, one gate site. Instructions are of one block's gated layers, in one frame."""

    core: str
    site: Site
    active: list[int] = Field(description="channels of the block, one block a point")
    instructions: list[float]
    by_layer: dict[str, list[float]]
    dense: float = Field(description="the same layers without gates: the kernels that take no mask")

    @property
    def channels(self) -> int:
        return self.active[-1]

    @property
    def line(self) -> tuple[float, float]:
        """Slope per channel and instructions at none, of least squares."""
        slope, start = np.polyfit(self.active, self.instructions, 1)
        return float(slope), float(start)

    @property
    def deviation(self) -> float:
        """Largest distance of a point from the line, as a share of all channels' cost."""
        slope, start = self.line
        distances = np.abs(slope * np.array(self.active) + start - self.instructions)
        return float(distances.max() / self.instructions[-1])

    @property
    def slope_against_dense(self) -> float:
        """What an active channel costs, as a share of what it costs the dense kernels."""
        return self.line[0] * self.channels / self.dense

    @property
    def break_even(self) -> float:
        """The share of active channels below which gated layers take fewer instructions than dense ones."""
        slope, start = self.line
        return (self.dense - start) / (slope * self.channels)


class Skipping(StrictModel):
    """build/bench/skipping.json"""

    curves: list[Curve]


def skipping(work: Path, cores: tuple[str, ...] = baselines.CORES) -> Skipping:
    """Count on `cores`. Raises ToolchainError if an engine is missing, fails or differs from the reference."""
    gated = {site: NetworkConfig(channels=CHANNELS, hidden=HIDDEN, gate_site=site) for site in SITES}
    counted = {
        site: _count(random_network(config, steps(config)), work / site, cores) for site, config in gated.items()
    }
    # Where gates sit on the output, an expanding layer has none; of 256 inputs and 128 outputs, it has the shape of the
    # projection.
    turned = NetworkConfig(channels=HIDDEN, hidden=CHANNELS, gate_site="output", stacks=1, dilations=(1,))
    dense_project = _count(random_network(turned, [0]), work / "turned", cores)
    curves = []
    for site, config in gated.items():
        for core in cores:
            by_stage = counted[site][core].instructions_by_stage
            by_layer = {layer: [by_stage[f"block{i}_{layer}"] for i in range(config.blocks)] for layer in GATED[site]}
            dense = {
                "expand": counted["output"][core].instructions_by_stage["block0_expand"],
                "depthwise": counted["output"][core].instructions_by_stage["block0_depthwise"],
                "project": dense_project[core].instructions_by_stage["block0_expand"],
            }
            curves.append(
                Curve(
                    core=core,
                    site=site,
                    active=steps(config),
                    instructions=np.sum(list(by_layer.values()), axis=0).tolist(),
                    by_layer=by_layer,
                    dense=sum(dense[layer] for layer in GATED[site]),
                )
            )
    return Skipping(curves=curves)


def steps(config: NetworkConfig) -> list[int]:
    """Active channels by block: from none to all."""
    return [round(share * config.gated) for share in np.linspace(0, 1, config.blocks)]


def random_network(config: NetworkConfig, active: list[int]) -> Bundle:
    """Random integers of every layer, and gates that open `active[i]` channels of block i, whatever they hear."""
    random = np.random.default_rng(0)
    tensors: Tensors = {}
    for name, (dtype, shape) in expected_tensors(config).items():
        largest = {"int8": 127, "int32": 2**22}.get(dtype, 0)
        tensors[name] = random.integers(0 if name.endswith("multiplier") else -largest, largest + 1, shape).astype(
            dtype
        )
    tensors |= {
        **frontend.tables(),
        "features.thresholds": frontend.feature_thresholds(0.02),
    }
    for i, count in enumerate(active):
        # No active channel is 0: the projection skips those that are.
        depthwise = f"blocks.{i}.depthwise"
        tensors[f"{depthwise}.bias"] = np.full_like(tensors[f"{depthwise}.bias"], 2**22)
        tensors[f"{depthwise}.multiplier"] |= 2**20
        score = f"blocks.{i}.gate.score"
        tensors[f"{score}.weight"] = np.zeros_like(tensors[f"{score}.weight"])
        tensors[f"{score}.bias"] = random.permutation(np.where(np.arange(config.gated) < count, 1, -1)).astype(np.int32)
    scales = {name: [1.0] * count if count else 1.0 for name, count in expected_scales(config).items()}
    unknown = "0" * 64
    return Bundle(config, tensors, scales | {"logits": LOGIT_SCALE}, {"checkpoint": unknown, "calibration": unknown})


def _count(bundle: Bundle, work: Path, cores: tuple[str, ...]) -> dict[str, TargetRecord]:
    write_bundle(bundle, work / "bundle")
    pcm: NDArray[np.int16] = np.random.default_rng(1).integers(-8000, 8000, FRAMES * HOP).astype(np.int16)
    record = validate(bundle, generate(bundle, work / "library"), pcm, work, boards=cores, trace=False)
    if not record.exact:
        raise ToolchainError(f"{work}: not bit-exact, so its counts mean nothing")
    return {target.name: target for target in record.targets}
