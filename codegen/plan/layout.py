# SPDX-License-Identifier: Apache-2.0
"""The structs of the emitted header."""

from __future__ import annotations

from dataclasses import dataclass

from dyncp.base.config.framing import STANDARD
from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.c.structs import Member, Struct
from dyncp.codegen.plan.scratch import scratch
from dyncp.export.formats.bundle import Probes


@dataclass(frozen=True)
class Layout:
    """All struct types of a model, each after those that it contains."""

    blocks: dict[tuple[int, bool], Struct]
    """By dilation, and whether the block has a gate."""
    scratch: Struct
    controls: Struct
    """Part of the state, but declared by the runtime (firmware/runtime/dyncp_controls.h)."""
    state: Struct

    probes: Struct
    """Part of the state, but declared by the probe set."""

    @property
    def structs(self) -> list[Struct]:
        """Those of the network."""
        return [*self.blocks.values(), self.scratch, self.state]


def layout(
    config: NetworkConfig, probes: Probes | None, shared_scratch: bool = False, in_place_fft: bool = False
) -> Layout:
    """The state of a model with these probes; with `shared_scratch`, all states share one scratch, outside of them;
    with `in_place_fft`, it has no buffer for transforms."""
    probe_struct = probe_state(config, probes)
    kinds = [(d, config.has_gate(i)) for i, d in enumerate(config.block_dilations)]
    blocks = {kind: _block(config, *kind) for kind in sorted(set(kinds))}
    work_space, controls = scratch(config, in_place_fft), _controls()
    members = [
        Member("uint32_t", "magic", (), "set by init"),
        Member("uint32_t", "version", (), "of the runtime that set it"),
        Member("uint32_t", "model", (), "that the state belongs to"),
        Member("uint32_t", "block_cap", (), "most active channels per block"),
        Member("uint32_t", "frame_cap", (), "most active channels per frame"),
        *([Member("uint32_t", "turn", (), "of the gates, counting frames")] if config.gate_period > 1 else []),
        Member(controls, "controls", (), "what shapes the gain"),
        Member("uint32_t", "masks", (config.mask_words,), "of the last frame"),
        Member(probe_struct, "probes", (), ""),
        *_past(config),
        Member("uint16_t", "gain", (config.spectrum,), "of the last frame, Q15"),
    ]
    members += [Member(blocks[kind], f"block{i}", (), "") for i, kind in enumerate(kinds)]
    if not shared_scratch:
        members.append(Member(work_space, "scratch", (), "dead between calls"))
    state = Struct("internals", "The state of one stream.", members)
    return Layout(blocks, work_space, controls, state, probe_struct)


def _past(config: NetworkConfig) -> list[Member]:
    """What a channel keeps of its audio."""
    framing = config.framing
    comments = ("second half of the last synthesis, Q4", "the last hop")
    if framing.sizes != STANDARD.sizes:
        comments = (f"of the last syntheses, Q{14 - framing.fft.bit_length()}", "the samples before the hop")
    sizes = (framing.delay,), (framing.analysis - framing.hop,)
    return [Member("int32_t", "overlap", sizes[0], comments[0]), Member("int16_t", "history", sizes[1], comments[1])]


def probe_state(config: NetworkConfig, probes: Probes | None) -> Struct:
    """What the probes keep from frame to frame; every member is of 4 bytes, so that its size is a plain sum."""
    members = [Member("uint32_t", "set", (), "that the state belongs to")]
    if probes is not None:
        outputs = len(probes.bias)
        if probes.deciding:
            members.append(Member(_decider(), "decisions", (len(probes.deciding),), "of the tasks that decide"))
        if any(task.frames == "speech" for task in probes.tasks):
            members.append(Member("uint32_t", "frames", (), "since init, until warm"))
        members += [
            Member("uint32_t", "seen", (config.mask_words,), "masks that `words` accounts for"),
            Member("int32_t", "words", (outputs,), "sums over the mask bits"),
        ]
        if any(task.period > 1 for task in probes.tasks):
            members.append(Member("uint32_t", "turn", (), "frames since init, for what not every frame tells"))
        if probes.shapes_signals:
            members += [
                Member("int32_t", "average", (outputs,), "of the words, 8 more fraction bits"),
                Member("int32_t", "signals", (outputs,), "the words, smoothed"),
            ]
    return Struct("probe_state", "State of the probes, a part of the state.", members)


def _controls() -> Struct:
    names = ("shaped", "limit", "floor", "strength", "attack", "release", "bypass", "wet")
    return Struct("controls", "Settings of the gain.", [Member("uint32_t", name, (), "") for name in names])


def _decider() -> Struct:
    """Declared by the runtime, as the controls are."""
    kinds = {"level": "int32_t", "hangover": "uint32_t", "since": "uint32_t", "told": "uint32_t"}
    return Struct("decider", "A decision.", [Member(kind, name, (), "") for name, kind in kinds.items()])


def _block(config: NetworkConfig, dilation: int, gate: bool) -> Struct:
    c, h, frames = config.channels, config.hidden, config.pooled_frames
    members = [Member("uint32_t", "slot", (), "of `history`, the oldest frame; reduced where it is used")]
    if gate and config.pooling == "window":
        members += [
            Member("uint32_t", "ring_slot", (), "of `ring`, the oldest frame; reduced where it is used"),
            Member("int16_t", "pool", (c,), f"sum over `ring`, the inputs of the last {frames} {_counted(config)}"),
            Member("int8_t", "ring", (frames, c), ""),
        ]
    elif gate and config.pooling == "ema":
        members.append(Member("int16_t", "pool", (c,), "256 times the running mean of the input"))
    elif gate:
        members.append(Member("int16_t", "pool", (config.pooled_channels,), "running means of the gate's values"))
    members.append(Member("int8_t", "history", ((config.kernel - 1) * dilation, h), "conv channels of the last frames"))
    comment = f"State of a block of dilation {dilation}{'' if gate else ' for which another one decides'}."
    return Struct(block_struct(dilation, gate), comment, members)


def _counted(config: NetworkConfig) -> str:
    return "frames" if config.gate_period == 1 else "decisions"


def block_struct(dilation: int, gate: bool) -> str:
    """Name of a block's struct."""
    return f"block_d{dilation}" if gate else f"following_d{dilation}"
