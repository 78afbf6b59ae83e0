# SPDX-License-Identifier: Apache-2.0
"""What a model costs, known before anything is compiled: multiply–accumulates by layer, bytes by kind."""

from __future__ import annotations

from dataclasses import dataclass

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.c.structs import Struct
from dyncp.codegen.lowering.frontend import front_end_tables
from dyncp.codegen.lowering.probes import probe_tables
from dyncp.codegen.plan.layout import Layout, layout
from dyncp.codegen.plan.scratch import buffers
from dyncp.codegen.plan.weights import emitted_weight
from dyncp.export.formats.bundle import Bundle

FRONT_END = ("window", "twiddle", "sigmoid", "features.thresholds")
"""The front end's tensors in the bundle."""


@dataclass(frozen=True)
class LayerMacs:
    """Multiply–accumulates of one layer and frame: always `dense`, and `per_active` for each active channel.

    Of a gate that decides every K frames, `dense` is the mean over K frames.
    """

    name: str
    dense: int | float
    per_active: int


def macs_by_layer(config: NetworkConfig) -> list[LayerMacs]:
    """Layers that multiply, named after their stages (docs/emitted-c.md); docs/arithmetic.md, section 10."""
    c, h, g, n, k = config.channels, config.hidden, config.gate, config.gated, config.kernel
    layers = [LayerMacs("front", config.spectrum * c, 0)]
    for i in range(config.blocks):
        if config.has_gate(i):
            scored = config.blocks_per_gate * n
            layers.append(LayerMacs(f"block{i}_gate", _mean(c * g, config.gate_period), 0))
            layers.append(LayerMacs(f"block{i}_score", _mean(g * scored, config.gate_period), 0))
        if config.gate_site == "output":
            layers += [
                LayerMacs(f"block{i}_expand", c * h, 0),
                LayerMacs(f"block{i}_depthwise", k * h, 0),
                LayerMacs(f"block{i}_project", 0, h),
            ]
        else:
            layers += [
                LayerMacs(f"block{i}_expand", 0, c),
                LayerMacs(f"block{i}_depthwise", 0, k),
                LayerMacs(f"block{i}_project", 0, c),
            ]
    return [*layers, LayerMacs("logits", config.spectrum * c, 0)]


def _mean(macs: int, frames: int) -> int | float:
    return macs // frames if macs % frames == 0 else macs / frames


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of a model's constants and state; code, stack and the layer descriptors are the compiler's."""

    weights: int
    """Weights as emitted, biases and multipliers of the network."""
    tables: int
    """Of the front end: window, twiddles, thresholds, sigmoid."""
    probes: int
    """Of the probe set."""
    state: dict[str, int]
    """By member of the state struct, without `scratch`; padding is part of the total only."""
    state_parts: dict[str, int]
    """The same, structs taken apart; `padding` is what lies between members."""
    state_total: int
    """sizeof(state), scratch included."""
    scratch: int
    scratch_buffers: dict[str, int]
    """By buffer; those that are never in use at the same time share bytes."""


def probe_bytes(bundle: Bundle) -> int:
    """Of the tables of the probe set."""
    return sum(table.bytes for table in probe_tables(bundle, bundle.probes)) if bundle.probes else 0


def memory(bundle: Bundle, in_place_fft: bool = False) -> MemoryUse:
    """Of a library with all of the bundle's probes; with `in_place_fft`, of one whose transforms work in place."""
    weights = sum(_emitted_bytes(bundle, name) for name in bundle.tensors if name not in FRONT_END)
    structs = layout(bundle.config, bundle.probes, in_place_fft=in_place_fft)
    return MemoryUse(
        weights=weights,
        tables=sum(table.bytes for table in front_end_tables(bundle)),
        probes=probe_bytes(bundle),
        state={member.name: member.bytes for member in structs.state.members if member.name != "scratch"},
        state_total=structs.state.bytes,
        scratch=structs.scratch.bytes,
        state_parts=_parts(structs),
        scratch_buffers={buffer.name: buffer.bytes for buffer in buffers(bundle.config, in_place_fft)},
    )


def _parts(structs: Layout) -> dict[str, int]:
    parts: dict[str, int] = {}
    for member in structs.state.members:
        if member.name == "scratch":
            continue
        if isinstance(member.type, Struct):
            parts |= {f"{member.name}.{inner.name}": inner.bytes for inner in member.type.members}
        else:
            parts[member.name] = member.bytes
    padding = structs.state.bytes - structs.scratch.bytes - sum(parts.values())
    return parts | ({"padding": padding} if padding else {})


def _emitted_bytes(bundle: Bundle, name: str) -> int:
    tensor = bundle.tensors[name]
    layer, _, part = name.rpartition(".")
    return emitted_weight(layer, tensor, bundle.config).nbytes if part == "weight" else tensor.nbytes
