# SPDX-License-Identifier: Apache-2.0
"""The structs of the emitted header, and their sizes: the same on every ABI, since no member is wider than 4 bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dyncp.codegen.weights import WORD
from dyncp.export.bundle import Probes
from dyncp.train.config import BINS, FFT, HOP, NetworkConfig

SCALARS = {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4}


@dataclass(frozen=True)
class Struct:
    """A struct type; `name` is what follows the prefix."""

    name: str
    comment: str
    members: list[Member]

    @property
    def align(self) -> int:
        return max(member.align for member in self.members)

    @property
    def bytes(self) -> int:
        end = 0
        for member in self.members:
            end = _round_up(end, member.align) + member.bytes
        return _round_up(end, self.align)


@dataclass(frozen=True)
class Member:
    """A member of a struct: an array of scalars, a scalar (no `dims`), or another struct."""

    type: str | Struct
    name: str
    dims: tuple[int, ...]
    comment: str

    @property
    def align(self) -> int:
        return self.type.align if isinstance(self.type, Struct) else SCALARS[self.type]

    @property
    def bytes(self) -> int:
        size = self.type.bytes if isinstance(self.type, Struct) else SCALARS[self.type]
        return size * math.prod(self.dims)


@dataclass(frozen=True)
class Layout:
    """All struct types of a model, each after those that it contains."""

    blocks: dict[int, Struct]
    """By dilation."""
    scratch: Struct
    state: Struct

    probes: Struct
    """Part of the state, but declared by the probe set."""

    @property
    def structs(self) -> list[Struct]:
        """Those of the network."""
        return [*self.blocks.values(), self.scratch, self.state]


def layout(config: NetworkConfig, probes: Probes | None) -> Layout:
    """The state of a model with these probes."""
    probe_struct = probe_state(config, probes)
    blocks = {d: _block(config, d) for d in sorted(set(config.block_dilations))}
    scratch = _scratch(config)
    members = [
        Member("uint32_t", "magic", (), "set by init"),
        Member("uint32_t", "version", (), "of the runtime that set it"),
        Member("uint32_t", "model", (), "that the state belongs to"),
        Member("uint32_t", "block_cap", (), "most active channels per block"),
        Member("uint32_t", "frame_cap", (), "most active channels per frame"),
        Member("uint32_t", "masks", (config.mask_words,), "of the last frame"),
        Member(probe_struct, "probes", (), ""),
        Member("int32_t", "overlap", (HOP,), "second half of the last synthesis, Q4"),
        Member("int16_t", "history", (HOP,), "the last hop"),
    ]
    members += [Member(blocks[d], f"block{i}", (), "") for i, d in enumerate(config.block_dilations)]
    members.append(Member(scratch, "scratch", (), "dead between calls"))
    state = Struct("state", "State of one stream; the caller owns it.", members)
    return Layout(blocks, scratch, state, probe_struct)


def probe_state(config: NetworkConfig, probes: Probes | None) -> Struct:
    """What the probes keep from frame to frame; every member is of 4 bytes, so that its size is a plain sum."""
    members = [Member("uint32_t", "set", (), "that the state belongs to")]
    if probes is not None:
        outputs = len(probes.bias)
        if any(task.frames == "speech" for task in probes.tasks):
            members.append(Member("uint32_t", "frames", (), "since init, until warm"))
        members += [
            Member("uint32_t", "seen", (config.mask_words,), "masks that `words` accounts for"),
            Member("int32_t", "words", (outputs,), "sums over the mask bits"),
        ]
        if any(task.smoothing for task in probes.tasks):
            members += [
                Member("int32_t", "average", (outputs,), "of the words, 8 more fraction bits"),
                Member("int32_t", "signals", (outputs,), "the words, smoothed"),
            ]
    return Struct("probe_state", "State of the probes, a part of the state.", members)


def _block(config: NetworkConfig, dilation: int) -> Struct:
    c, h, frames = config.channels, config.hidden, config.pooling_frames
    members = [Member("uint32_t", "slot", (), "of `history`, the oldest frame")]
    if config.pooling == "window":
        members += [
            Member("uint32_t", "ring_slot", (), "of `ring`, the oldest frame"),
            Member("int16_t", "pool", (c,), f"sum over `ring`, the inputs of the last {frames} frames"),
            Member("int8_t", "ring", (frames, c), ""),
        ]
    else:
        members.append(Member("int16_t", "pool", (c,), "256 times the running mean of the input"))
    members.append(Member("int8_t", "history", (2 * dilation, h), "conv channels of the last frames"))
    return Struct(f"block_d{dilation}", f"State of a block of dilation {dilation}.", members)


def _scratch(config: NetworkConfig) -> Struct:
    members = [
        Member("uint32_t", "macs", (), "multiply-accumulates so far"),
        Member("uint32_t", "active", (), "active channels so far"),
        Member("int32_t", "spectrum", (2 * BINS,), "re and im interleaved"),
        Member("int32_t", "transform", (FFT,), "work space of the transforms"),
        Member("uint32_t", "work", (_work(config),), "of the kernels"),
        Member("int32_t", "score", (config.gated,), ""),
    ]
    if config.gate_site == "hidden":
        members.append(Member("int32_t", "sum", (config.channels,), "work space of the projection"))
    members += [
        Member("int16_t", "residual", (config.channels,), "the residual stream"),
        Member("int16_t", "gate", (config.gate,), ""),
        Member("int16_t", "logits", (BINS,), "Q10"),
        Member("uint16_t", "suppression", (BINS,), "Q15"),
        Member("int8_t", "features", (BINS,), ""),
        Member("int8_t", "input", (config.channels,), "the residual stream in 8 bits"),
        Member("int8_t", "hidden", (config.hidden,), "conv channels"),
    ]
    return Struct("scratch", "Work space of one call.", members)


def _work(config: NetworkConfig) -> int:
    """DCP_WORK of firmware/runtime/dyncp_layers.h, of the widest layer."""
    widest = max(BINS, config.channels, config.hidden, config.gate)
    return _round_up(widest, WORD) // 2


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
