# SPDX-License-Identifier: Apache-2.0
"""Lowering: from a bundle to exactly what the templates print. All naming and arithmetic of the emitted C is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyncp.base.config.framing import STANDARD
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import GenerationError
from dyncp.base.version import __version__
from dyncp.codegen.c.structs import StructText, struct_text
from dyncp.codegen.c.tables import Table, table
from dyncp.codegen.c.text import aligned, prototype
from dyncp.codegen.lowering.controls import edge_lines, setters, setting_lines
from dyncp.codegen.lowering.frontend import front_end_tables
from dyncp.codegen.lowering.probes import ProbeSet, lower_probes
from dyncp.codegen.lowering.selftest import SelfTest, lower_selftest
from dyncp.codegen.lowering.streaming import Stream, follow_prototype, lower_stream, step_costs, step_prototype
from dyncp.codegen.plan.layout import Layout, block_struct, layout
from dyncp.codegen.plan.stages import stages
from dyncp.codegen.plan.weights import emitted_weight, multiplied_in_pairs, neighbour_products, padded, skips_columns
from dyncp.export.formats.bundle import Bundle

RUNTIME_VERSION = 9
"""DYNCP_RUNTIME_VERSION of firmware/runtime/dyncp_runtime.h that the templates are written for."""

STATUSES = (
    ("OK", "no error"),
    ("ERROR_NULL", "an argument is NULL"),
    ("ERROR_UNINITIALIZED", "the state was never initialized"),
    ("ERROR_VERSION", "the state belongs to another version, model or probe set"),
    ("ERROR_CAP", "gates that hold or are shared have no cap per frame"),
    ("ERROR_SETTING", "a setting is out of its range, or of no decision"),
)
SELFTEST_STATUS = ("ERROR_SELFTEST", "a constant table or known audio gave another hash")


@dataclass(frozen=True)
class Layer:
    """A `dcp_layer`: names of its tables, or NULL, and its shape."""

    name: str
    weight: str
    gathered: str | None
    """What dyncp_helium.h has for the weights."""
    bias: str
    paired: str | None
    """What dyncp_dsp.h has for the bias."""
    multiplier: str
    rows: int
    columns: int


@dataclass(frozen=True)
class Block:
    index: int
    dilation: int
    past: int
    """Frames of history: dilations between the first tap and the last."""
    mask: int
    """Its first word in the packed masks."""
    input_multiplier: int
    struct: str
    """Name of its state's type."""
    turn: int | None
    """The value of the state's `turn` in which its gate decides; None without a gate of its own."""
    pool_coefficient: int | None
    """Of the average of its gate's input."""


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
    """Of the bundle that the probes came from; the files of the network do not show it."""
    network_hash: str
    config: NetworkConfig
    framed: bool
    """Whether its frames are other than the standard ones, and computed by dyncp_frames.h."""
    rate_khz: str
    frame_ms: str
    """Of a hop."""
    bin_hz: str
    """From one bin to the next."""
    constants: list[str]
    """The header's #define lines."""
    state_bytes: int
    """P_STATE_BYTES as a number; with the probes' part, for what is no file of the network."""
    statuses: list[tuple[str, str]]
    """Name and meaning of each, from 0 on."""
    status_lines: list[str]
    """One enumerator each."""
    structs: list[StructText]
    settings: list[str]
    """Members of the struct."""
    set_cap: str
    setters: dict[str, str]
    """By what they set, and `settings`, which gets all."""
    process: str
    step: str
    follow: str
    """Prototypes, without their ends."""
    stream: Stream
    stages: list[str]
    """One #define line each."""
    tables: list[Table]
    front_end_tables: int
    """So many of `tables` come first that are the front end's."""
    layers: list[Layer]
    blocks: list[Block]
    back_multiplier: int
    shared_scratch: bool
    """Whether all states share one scratch, which is the library's."""
    in_place_fft: bool
    """Whether transforms work in place of the spectrum."""
    probes: ProbeSet
    """For the files of the probe set alone: those of the network depend on nothing in it."""
    selftest: SelfTest | None


def lower(
    bundle: Bundle, prefix: str, selftest: bool = False, shared_scratch: bool = False, in_place_fft: bool = False
) -> Library:
    """With `selftest`, P_selftest and what it needs are part of it; with `shared_scratch`, states hold no scratch; with
    `in_place_fft`, the scratch has no buffer for transforms.

    Raises GenerationError for a bundle without a hash, for a static network, and for a task that C cannot name.
    """
    if not bundle.hash:
        raise GenerationError("the bundle has no hash: write it with write_bundle, or read it, before generating")
    if not bundle.config.gated:
        raise GenerationError("network.gate_site is none: a static network, for comparison only; C needs gates")
    config, upper = bundle.config, prefix.upper()
    structs = layout(config, bundle.probes, shared_scratch, in_place_fft)
    front_end, (tables, layers) = front_end_tables(bundle), _network(bundle)
    statuses = [*STATUSES, *([SELFTEST_STATUS] if selftest else [])]
    return Library(
        p=prefix,
        P=upper,
        version=__version__,
        runtime_version=RUNTIME_VERSION,
        bundle_hash=bundle.hash,
        network_hash=bundle.network_hash,
        config=config,
        framed=config.framing.sizes != STANDARD.sizes,
        rate_khz=f"{config.sample_rate / 1000:g}",
        frame_ms=f"{1000 / config.framing.frames_per_second:g}",
        bin_hz=f"{config.sample_rate / config.fft:g}",
        constants=_header_constants(bundle, structs, upper, shared_scratch),
        state_bytes=structs.state.bytes,
        statuses=statuses,
        status_lines=_status_lines(statuses, upper),
        structs=[struct_text(struct, prefix) for struct in structs.structs],
        settings=setting_lines(prefix),
        set_cap=_set_cap(prefix),
        setters=setters(prefix),
        process=_process(prefix, upper),
        step=step_prototype(prefix, upper),
        follow=follow_prototype(prefix, upper),
        stream=lower_stream(config, prefix),
        stages=_stage_lines(config, upper),
        tables=front_end + tables,
        front_end_tables=len(front_end),
        layers=layers,
        blocks=[_block(bundle, i, dilation) for i, dilation in enumerate(config.block_dilations)],
        back_multiplier=_scalar(bundle, "back.input.multiplier"),
        shared_scratch=shared_scratch,
        in_place_fft=in_place_fft,
        probes=lower_probes(bundle, prefix, selftest),
        selftest=lower_selftest(front_end, tables, layers, bundle) if selftest else None,
    )


def _header_constants(bundle: Bundle, structs: Layout, upper: str, shared_scratch: bool) -> list[str]:
    config = bundle.config
    own = structs.state.bytes - structs.probes.bytes
    numbers = zip(("MAJOR", "MINOR", "PATCH"), __version__.split("."), strict=True)
    defines = [
        *((f"VERSION_{part} {number}", "") for part, number in numbers),
        (f"SAMPLE_RATE {config.sample_rate}", ""),
        (f"HOP {config.hop}", "samples per call, in and out"),
        (f"DELAY {config.framing.delay}", "samples by which the output lags the input"),
        (f"BLOCKS {config.blocks}", ""),
        (f"GATES {config.gated}", "gated channels per block"),
        (f"MASK_WORDS {config.mask_words}", f"packed masks, {config.mask_words_per_block} per block"),
        (f"STEPS {len(step_costs(config))}", "pieces of a frame"),
        (f"GAINS {config.spectrum}", "of a frame"),
        ("NO_LIMIT 97", "dB: noise may fall to silence"),
        (f"BLOCK_CAP {config.block_limit}", "active channels per block at most"),
        (f"FRAME_CAP {config.frame_limit}", "active channels per frame at most"),
        (f"MACS_MIN {config.least_macs}", "MACs of a frame with none active"),
        (f"MACS_CHANNEL {config.macs_per_channel}", "MACs of an active channel"),
        (f"WARM_UP {config.warm_up}", "frames until signals are valid"),
        (f"STATE_BYTES ({own} + {upper}_PROBE_STATE_BYTES)", "sizeof the state"),
        (
            f"SCRATCH_BYTES {structs.scratch.bytes}",
            "of all states" if shared_scratch else "of which dead between calls",
        ),
        (f"MODEL 0x{bundle.network_hash[:8]}u", "start of the network hash"),
    ]
    return aligned((f"#define {upper}_{define}", comment) for define, comment in defines) + edge_lines(config, upper)


def _status_lines(statuses: Sequence[tuple[str, str]], upper: str) -> list[str]:
    lines = ((f"{upper}_{name} = {number},", text) for number, (name, text) in enumerate(statuses))
    return aligned(lines, indent=4)


def _set_cap(prefix: str) -> str:
    arguments = [f"{prefix}_state *state", "uint32_t per_block", "uint32_t per_frame"]
    return prototype(prefix, "set_cap", arguments)


def _process(prefix: str, upper: str) -> str:
    audio = [f"const int16_t in[{upper}_HOP]", f"int16_t out[{upper}_HOP]"]
    return prototype(prefix, "process", [f"{prefix}_state *state", *audio, f"{prefix}_signals *signals"])


def _stage_lines(config: NetworkConfig, upper: str) -> list[str]:
    """Those of the probes are always defined, so that these lines depend on the network alone."""
    lines = [(stage.name, f"{stage.dtype} [{stage.count}]") for stage in stages(config, 0)]
    lines += [(name, f"int32 [{upper}_PROBE_OUTPUTS]; none without probes") for name in ("probes", "signals")]
    return aligned((f"#define {upper}_STAGE_{name.upper()} {i}", text) for i, (name, text) in enumerate(lines))


def _scalar(bundle: Bundle, name: str) -> int:
    return int(bundle.tensors[name].astype(np.int64)[0])


def _network(bundle: Bundle) -> tuple[list[Table], list[Layer]]:
    names = {"front": "front"}
    for i in range(bundle.config.blocks):
        parts = {"gate.reduce": "gate", "gate.score": "score"} if bundle.config.has_gate(i) else {}
        parts |= {"expand": "expand", "depthwise": "depthwise", "project": "project"}
        names |= {f"blocks.{i}.{part}": f"block{i}_{short}" for part, short in parts.items()}
    names["back"] = "back"
    tables: list[Table] = []
    layers: list[Layer] = []
    for source, name in names.items():
        own, layer = _layer(bundle, source, name)
        tables += own
        layers.append(layer)
    if bundle.config.pools_values:
        tables += (_averages(bundle, i) for i in range(bundle.config.blocks) if bundle.config.has_gate(i))
    return tables, layers


def _averages(bundle: Bundle, i: int) -> Table:
    """Coefficients of the averages of a gate's values."""
    return table(f"block{i}_pool", bundle.tensors[f"blocks.{i}.pool.coefficient"], "")


def _layer(bundle: Bundle, source: str, name: str) -> tuple[list[Table], Layer]:
    weight = bundle.tensors[f"{source}.weight"]
    rows, columns = weight.shape
    emitted = emitted_weight(source, weight, bundle.config)
    tables = [table(f"{name}_weight", emitted, "[{}][{}]".format(*emitted.shape))]
    gathered = None
    if skips_columns(source, bundle.config):
        tables.append(table(f"{name}_gathered", padded(weight), "the same in rows"))
        gathered = tables[-1].name
    present = {"bias": "NULL", "multiplier": "NULL"}
    for part in present:
        if f"{source}.{part}" in bundle.tensors:
            tables.append(table(f"{name}_{part}", bundle.tensors[f"{source}.{part}"], ""))
            present[part] = tables[-1].name
    paired = None
    if multiplied_in_pairs(source, bundle.config):
        bias = bundle.tensors.get(f"{source}.bias", np.zeros(rows, np.int32))
        # Sums are modulo 2^32.
        values = (bias - neighbour_products(weight)).astype(np.int32)
        tables.append(table(f"{name}_paired", values, "bias less products of neighbouring weights"))
        paired = tables[-1].name
    bias_name, multiplier = present["bias"], present["multiplier"]
    return tables, Layer(name, f"{name}_weight", gathered, bias_name, paired, multiplier, rows, columns)


def _block(bundle: Bundle, i: int, dilation: int) -> Block:
    config = bundle.config
    gate = config.has_gate(i)
    pooled = gate and config.pooling == "ema"
    return Block(
        index=i,
        dilation=dilation,
        past=config.block_pasts[i],
        mask=i * config.mask_words_per_block,
        input_multiplier=_scalar(bundle, f"blocks.{i}.input.multiplier"),
        struct=block_struct(dilation, gate),
        turn=config.group(i) % config.gate_period if gate else None,
        pool_coefficient=_scalar(bundle, f"blocks.{i}.pool.coefficient") if pooled else None,
    )
