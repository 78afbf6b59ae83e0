# SPDX-License-Identifier: Apache-2.0
"""The trace points of one frame, in order (docs/emitted-c.md): what every engine shows of its inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyncp.base.config.network import NetworkConfig


@dataclass(frozen=True)
class Stage:
    """One trace point: `count` values of NumPy type `dtype`."""

    name: str
    dtype: str
    count: int

    @property
    def bytes(self) -> int:
        return self.count * np.dtype(self.dtype).itemsize


def stages(config: NetworkConfig, probe_outputs: int) -> list[Stage]:
    """All stages in the order of execution; a stage's index is its identifier in C."""
    c, h, g, n = config.channels, config.hidden, config.gate, config.gated
    listed = [
        Stage("spectrum", "int32", 2 * config.framing.bins),
        Stage("features", "int8", config.spectrum),
        Stage("front", "int16", c),
    ]
    after = config.pools_values
    for i in range(config.blocks):
        narrowed = [Stage(f"block{i}_input", "int8", c)]
        gate: list[Stage] = []
        if config.has_gate(i):
            values, pooled = (
                Stage(f"block{i}_gate", "int16", g),
                Stage(f"block{i}_pool", "int16", config.pooled_channels),
            )
            gate = [
                *([values, pooled] if after else [pooled, values]),
                Stage(f"block{i}_score", "int32", config.blocks_per_gate * n),
                Stage(f"block{i}_mask", "uint32", config.blocks_per_gate * config.mask_words_per_block),
            ]
        listed += gate + narrowed if after else narrowed + gate
        listed += [
            Stage(f"block{i}_expand", "int8", h),
            Stage(f"block{i}_depthwise", "int8", h),
            Stage(f"block{i}_project", "int16", c),
        ]
    listed += [
        Stage("back_input", "int8", c),
        Stage("logits", "int16", config.spectrum),
        Stage("suppression", "uint16", config.spectrum),
        Stage("synthesis", "int16", config.hop),
    ]
    if probe_outputs:
        listed += [Stage("probes", "int32", probe_outputs), Stage("signals", "int32", probe_outputs)]
    return listed
