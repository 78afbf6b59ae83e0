# SPDX-License-Identifier: Apache-2.0
"""Lowering: from a bundle to exactly what the templates print. All naming and arithmetic of the emitted C is here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyncp import __version__
from dyncp.codegen.layout import Layout, Member, Struct, layout
from dyncp.codegen.probes import ProbeTables, Signal, probe_tables, signals, signals_members
from dyncp.codegen.stages import Stage, stages
from dyncp.codegen.tables import Table, table
from dyncp.codegen.text import aligned, wrapped
from dyncp.export.bundle import Bundle, ProbeTask
from dyncp.train.config import HOP, NetworkConfig
from dyncp.train.errors import GenerationError

RUNTIME_VERSION = 1
"""DYNCP_RUNTIME_VERSION of firmware/runtime/dyncp_runtime.h that the templates are written for."""


@dataclass(frozen=True)
class Layer:
    """A `dcp_layer`: names of its tables, or NULL, and its shape."""

    name: str
    weight: str
    bias: str
    multiplier: str
    rows: int
    columns: int


@dataclass(frozen=True)
class Block:
    index: int
    dilation: int
    taps: int
    """Frames of history, twice the dilation."""
    mask: int
    """Its first word in the packed masks."""
    input_multiplier: int
    pool_coefficient: int | None


@dataclass(frozen=True)
class StructText:
    """A struct type as text; `name` is what follows the prefix."""

    name: str
    comment: str
    lines: list[str]


@dataclass(frozen=True)
class Library:
    """Everything that the templates print."""

    p: str
    """Prefix of functions, types and tables."""
    P: str
    """Prefix of macros."""
    version: str
    runtime_version: int
    bundle_hash: str
    probes_hash: str
    config: NetworkConfig
    outputs: int
    constants: list[str]
    """The header's #define lines."""
    signals_members: list[str]
    structs: list[StructText]
    process: str
    """Prototype of the function that does the work, without its end."""
    stages: list[str]
    """One #define line each."""
    tables: list[Table]
    layers: list[Layer]
    blocks: list[Block]
    back_multiplier: int
    signals: list[Signal]
    probes: ProbeTables | None
    tasks: list[ProbeTask]


def lower(bundle: Bundle, prefix: str) -> Library:
    """Raises GenerationError for a bundle without a hash and for a task that C cannot name."""
    if not bundle.hash:
        raise GenerationError("the bundle has no hash: write it with write_bundle, or read it, before generating")
    config, upper = bundle.config, prefix.upper()
    tasks = bundle.probes.tasks if bundle.probes else []
    structs = layout(config, bundle.probe_outputs)
    tables, layers = _network(bundle)
    return Library(
        p=prefix,
        P=upper,
        version=__version__,
        runtime_version=RUNTIME_VERSION,
        bundle_hash=bundle.hash,
        probes_hash=bundle.probes.hash if bundle.probes else "",
        config=config,
        outputs=bundle.probe_outputs,
        constants=_header_constants(bundle, structs, upper),
        signals_members=signals_members(tasks),
        structs=[_struct(struct, prefix) for struct in structs.structs],
        process=_process(prefix, upper),
        stages=_stage_lines(stages(config, bundle.probe_outputs), upper),
        tables=_constants(bundle) + tables,
        layers=layers,
        blocks=[_block(bundle, i, dilation) for i, dilation in enumerate(config.block_dilations)],
        back_multiplier=_scalar(bundle, "back.input.multiplier"),
        signals=signals(tasks),
        probes=probe_tables(bundle.probes, config) if bundle.probes else None,
        tasks=tasks,
    )


def _header_constants(bundle: Bundle, structs: Layout, upper: str) -> list[str]:
    config = bundle.config
    defines = [
        ("SAMPLE_RATE 16000", ""),
        (f"HOP {HOP}", "samples per call, in and out"),
        (f"DELAY {HOP}", "samples by which the output lags the input"),
        (f"BLOCKS {config.blocks}", ""),
        (f"GATES {config.gated}", "gated channels per block"),
        (f"MASK_WORDS {config.mask_words}", f"packed masks, {config.mask_words_per_block} per block"),
        (f"PROBE_OUTPUTS {bundle.probe_outputs}", ""),
        (f"STATE_BYTES {structs.state.bytes}", "sizeof the state"),
        (f"SCRATCH_BYTES {structs.scratch.bytes}", "of which work space, dead between calls"),
        (f"MODEL 0x{bundle.hash[:8]}u", "start of the bundle hash"),
    ]
    return aligned((f"#define {upper}_{define}", comment) for define, comment in defines)


def _process(prefix: str, upper: str) -> str:
    arguments = [
        f"{prefix}_state *state",
        f"const int16_t in[{upper}_HOP]",
        f"int16_t out[{upper}_HOP]",
        f"{prefix}_signals *signals",
    ]
    return wrapped(f"{prefix}_status {prefix}_process", arguments, "")


def _stage_lines(listed: list[Stage], upper: str) -> list[str]:
    return aligned(
        (f"#define {upper}_STAGE_{stage.name.upper()} {i}", f"{stage.dtype} [{stage.count}]")
        for i, stage in enumerate(listed)
    )


def _struct(struct: Struct, prefix: str) -> StructText:
    members = ((_declaration(member, prefix), member.comment) for member in struct.members)
    return StructText(struct.name, struct.comment, aligned(members, indent=4))


def _declaration(member: Member, prefix: str) -> str:
    kind = f"{prefix}_{member.type.name}" if isinstance(member.type, Struct) else member.type
    return f"{kind} {member.name}{''.join(f'[{dim}]' for dim in member.dims)};"


def _scalar(bundle: Bundle, name: str) -> int:
    return int(bundle.tensors[name].astype(np.int64)[0])


def _constants(bundle: Bundle) -> list[Table]:
    comments = {
        "window": "square-root Hann, Q15",
        "twiddle": "cos and -sin of 2 pi k / 512, Q30",
        "sigmoid": "Q15, one entry every 256 of a Q10 logit",
        "features.thresholds": "of |X|^2, for the features 1 to 127",
    }
    return [table(name.split(".")[-1], bundle.tensors[name], text) for name, text in comments.items()]


def _network(bundle: Bundle) -> tuple[list[Table], list[Layer]]:
    names = {"front": "front"}
    for i in range(bundle.config.blocks):
        parts = {"gate.reduce": "gate", "gate.score": "score", "expand": "expand"}
        parts |= {"depthwise": "depthwise", "project": "project"}
        names |= {f"blocks.{i}.{part}": f"block{i}_{short}" for part, short in parts.items()}
    names["back"] = "back"
    tables: list[Table] = []
    layers: list[Layer] = []
    for source, name in names.items():
        own, layer = _layer(bundle, source, name)
        tables += own
        layers.append(layer)
    return tables, layers


def _layer(bundle: Bundle, source: str, name: str) -> tuple[list[Table], Layer]:
    weight = bundle.tensors[f"{source}.weight"]
    rows, columns = weight.shape
    shape = f"[{rows}][{columns}]"
    if source.endswith(".project") and bundle.config.gate_site == "hidden":
        # A pruned channel is a column of this layer; transposed, it is a row that need not be read.
        weight, shape = weight.T, f"transposed: [{columns}][{rows}]"
    tables = [table(f"{name}_weight", weight, shape)]
    present = {"bias": "NULL", "multiplier": "NULL"}
    for part in present:
        if f"{source}.{part}" in bundle.tensors:
            tables.append(table(f"{name}_{part}", bundle.tensors[f"{source}.{part}"], ""))
            present[part] = tables[-1].name
    return tables, Layer(name, f"{name}_weight", present["bias"], present["multiplier"], rows, columns)


def _block(bundle: Bundle, i: int, dilation: int) -> Block:
    config = bundle.config
    return Block(
        index=i,
        dilation=dilation,
        taps=2 * dilation,
        mask=i * config.mask_words_per_block,
        input_multiplier=_scalar(bundle, f"blocks.{i}.input.multiplier"),
        pool_coefficient=(_scalar(bundle, f"blocks.{i}.pool.coefficient") if config.pooling == "ema" else None),
    )
