# SPDX-License-Identifier: Apache-2.0
"""Lowering of the optional stream: the pieces of a frame, when each is due, and delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.c.text import prototype, wrapped
from dyncp.export.transforms.resampling import DELAY, RATIO

TRANSFORM = 22_000
"""What an analysis or a synthesis of 512 points costs, in multiply–accumulates: about as many instructions on an M4."""

SAMPLES = {"int16": "int16_t", "int32": "int32_t", "float": "float"}
"""By what P_stream_… ends with."""


@dataclass(frozen=True)
class Stream:
    """What P_stream.h and P_stream.c print besides their code."""

    delay: int
    """Samples at 16 kHz, of blocks and core."""
    even_delay: int
    wide_delay: int
    """Samples at 48 kHz, the filters' included."""
    even_wide_delay: int
    due: list[int]
    """Of each step, how many samples of the next frame must have come before it is run."""
    pair_due: list[int]
    """The same with two followers."""
    runs: dict[str, str]
    """Prototypes by sample, without their ends."""


def lower_stream(config: NetworkConfig, prefix: str) -> Stream:
    hop, costs = config.hop, step_costs(config)
    delay = config.framing.delay + hop
    even = delay + hop
    return Stream(
        delay=delay,
        even_delay=even,
        wide_delay=RATIO * delay + DELAY,
        even_wide_delay=RATIO * even + DELAY,
        due=due(costs, hop),
        pair_due=due([*costs, 2 * transform(config), 2 * transform(config)], hop),
        runs={name: _run(prefix, name, kind) for name, kind in SAMPLES.items()},
    )


def _run(prefix: str, name: str, kind: str) -> str:
    arguments = [f"{prefix}_stream *stream", f"const {kind} *in", f"{kind} *out", "size_t count"]
    # Room for what follows a definition.
    return wrapped(f"{prefix}_status {prefix}_stream_{name}", arguments, " {").removesuffix(" {")


def step_costs(config: NetworkConfig) -> list[int]:
    """Of each of a frame's steps, with every channel active and every gate deciding, in multiply–accumulates."""
    c, h, n, k = config.channels, config.hidden, config.gated, config.kernel
    end = config.spectrum * c
    dense = c * h + k * h + h * n if config.gate_site == "output" else (2 * c + k) * n
    gate = c * config.gate + config.gate * n * config.blocks_per_gate
    blocks = [dense + (gate if config.has_gate(i) else 0) for i in range(config.blocks)]
    return [transform(config), end, *blocks, end, transform(config)]


def transform(config: NetworkConfig) -> int:
    """`TRANSFORM` for the transform of the network, which takes N log N."""
    return TRANSFORM * config.fft * (config.fft.bit_length() - 1) // (512 * 9)


def due(costs: Sequence[int], hop: int) -> list[int]:
    """Steps of these costs spread over a hop as evenly as they allow: each is run when its middle has come."""
    total = sum(costs)
    middles = [end - cost / 2 for cost, end in zip(costs, accumulate(costs), strict=True)]
    return [min(hop, max(1, round(hop * middle / total))) for middle in middles]


def step_prototype(prefix: str, upper: str) -> str:
    audio = f"int16_t pcm[{upper}_HOP]"
    return prototype(prefix, "step", [f"{prefix}_state *state", "uint32_t step", audio, f"{prefix}_signals *signals"])


def follow_prototype(prefix: str, upper: str) -> str:
    audio = [f"const int16_t in[{upper}_HOP]", f"int16_t out[{upper}_HOP]"]
    return prototype(prefix, "follow", [f"{prefix}_state *state", f"{prefix}_follower *follower", *audio])
