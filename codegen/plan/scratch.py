# SPDX-License-Identifier: Apache-2.0
"""The work space of one call: which buffer holds something in which stages, and which ones share their bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dyncp.base.config.framing import STANDARD
from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.c.structs import SCALARS, Member, Struct, round_up
from dyncp.codegen.plan.weights import WORD

FIRST = ("spectrum", "features", "front")
LAST = ("expand", "depthwise", "project")
ENDS = ("back_input", "logits", "suppression", "synthesis", "probes", "signals")
STAGES = (*FIRST, "input", "pool", "gate", "score", "mask", *LAST, *ENDS)
"""Of docs/emitted-c.md, in order; those of a block, from `input` to `project`, once for all blocks."""
GATE_FIRST = (*FIRST, "gate", "pool", "score", "mask", "input", *LAST, *ENDS)
"""The same where gates average their values and read no block's input."""


@dataclass(frozen=True)
class Buffer:
    """An array or scalar of the scratch and the spans of stages, first and last, in which its contents matter."""

    type: str
    name: str
    dims: tuple[int, ...]
    comment: str
    spans: tuple[tuple[str, str], ...]
    order: tuple[str, ...] = STAGES

    @property
    def align(self) -> int:
        return SCALARS[self.type]

    @property
    def bytes(self) -> int:
        return self.align * math.prod(self.dims)

    @property
    def live(self) -> frozenset[str]:
        """Every stage in which it holds something, at the beginning, in the middle or at the end."""
        return frozenset(stage for first, last in self._ranges for stage in self.order[first : last + 1])

    def outlives(self, stage: str, following: str) -> bool:
        """Whether what it holds at the end of `stage` is still wanted in the stage that follows."""
        at, then = self.order.index(stage), self.order.index(following)
        return any(first <= at <= last and first <= then <= last for first, last in self._ranges)

    @property
    def _ranges(self) -> list[tuple[int, int]]:
        return [(self.order.index(first), self.order.index(last)) for first, last in self.spans]


def buffers(config: NetworkConfig, in_place_fft: bool = False) -> tuple[Buffer, ...]:
    """All of them; with `in_place_fft`, transforms work in place of the spectrum."""
    c, h = config.channels, config.hidden
    widest = max(config.spectrum, c, h, config.gate)
    # DCP_WORK of firmware/runtime/dyncp_layers.h, of the widest layer; on Helium the bytes of a list of channels and of
    # a vector behind it (dyncp_helium_gated.h), which is more where all layers are narrow.
    work = max(round_up(widest, WORD) // 2, round_up(min(max(c, h), 128) + 16, WORD) // WORD)
    kernels = ("front", "gate", "score", "expand", "project", "logits")
    frame = (("spectrum", "signals"),)
    after = config.pools_values
    # Behind a gate too it has a place of its own: gcc 12 would take it for the gate's values, and warn of their size.
    narrowed = (("gate" if after else "input", "expand"), ("back_input", "logits"))
    # With the standard frames, the analysis windows its samples on the way to the spectrum.
    framed = config.framing.sizes != STANDARD.sizes
    transforms = _each("spectrum", "synthesis") if framed else _each("synthesis")
    purpose = f"work space of the {'transforms' if framed else 'inverse transform'}"
    shaped, bins = _each("suppression"), config.framing.bins
    listed = [
        Buffer("uint32_t", "macs", (), "multiply-accumulates so far", frame),
        Buffer("uint32_t", "active", (), "active channels so far", frame),
        Buffer("uint32_t", "silent", (), "whether the spectrum is 0", (("spectrum", "synthesis"),)),
        Buffer("int32_t", "spectrum", (2 * bins,), "re and im interleaved", (("spectrum", "synthesis"),)),
        Buffer("int32_t", "transform", (config.fft,), purpose, transforms),
        Buffer("uint32_t", "work", (work,), "work space of the kernels", _each(*kernels)),
        Buffer("int32_t", "score", (config.blocks_per_gate * config.gated,), "of the channels", (("score", "mask"),)),
        Buffer("int16_t", "residual", (c,), "the residual stream", (("front", "back_input"),)),
        Buffer("int16_t", "gate", (config.gate,), "values of the gate", (("gate", "pool" if after else "score"),)),
        Buffer("int16_t", "logits", (config.spectrum,), "Q10", (("logits", "suppression"),)),
        Buffer("uint16_t", "suppression", (config.spectrum,), "the mask where it is not the gain, Q15", shaped),
        Buffer("int8_t", "features", (config.spectrum,), "of the spectrum", (("features", "front"),)),
        Buffer("int8_t", "input", (c,), "the residual stream in 8 bits", narrowed),
        Buffer("int8_t", "hidden", (h,), "conv channels", (("expand", "project"),)),
    ]
    if in_place_fft:
        listed = [buffer for buffer in listed if buffer.name != "transform"]
    if config.gate_site == "hidden":
        listed.append(Buffer("int32_t", "sum", (c,), "work space of the projection", _each("project")))
    return tuple(replace(buffer, order=GATE_FIRST if after else STAGES) for buffer in listed)


def scratch(config: NetworkConfig, in_place_fft: bool = False) -> Struct:
    """A union that shows each buffer, as the member `v`, at its place among the bytes of all."""
    placed = plan(buffers(config, in_place_fft))
    total = round_up(max(start + buffer.bytes for buffer, start in placed.items()), WORD)
    views = [_view(buffer, start, total - start - buffer.bytes) for buffer, start in placed.items()]
    comment = "Work space of one call. Buffers that share bytes are never in use at the same time."
    return Struct("scratch", comment, views, "union")


def plan(listed: Sequence[Buffer]) -> dict[Buffer, int]:
    """The first byte of each buffer: from the longest-lived on, and from the largest among equals, each takes the
    lowest place that no buffer of its time has."""
    starts: dict[Buffer, int] = {}
    for buffer in sorted(listed, key=lambda b: (-len(b.live), -b.bytes)):
        rivals = sorted((starts[other], other.bytes) for other in starts if not buffer.live.isdisjoint(other.live))
        start = 0
        for taken, size in rivals:
            if start + buffer.bytes <= taken:
                break
            start = max(start, round_up(taken + size, buffer.align))
        starts[buffer] = start
    return {buffer: starts[buffer] for buffer in listed}


def _view(buffer: Buffer, before: int, after: int) -> Member:
    # Every view covers all bytes: C99 (6.2.6.1) lets a store into a union spoil those that its member does not cover.
    members = [Member("uint8_t", "before", (before,), "")] if before else []
    members.append(Member(buffer.type, "v", buffer.dims, buffer.comment))
    members += [Member("uint8_t", "after", (after,), "")] if after else []
    return Member(Struct("", "", members), buffer.name, (), "")


def _each(*stages: str) -> tuple[tuple[str, str], ...]:
    """Spans of one stage each: nothing is kept from one to the next."""
    return tuple((stage, stage) for stage in stages)
