# SPDX-License-Identifier: Apache-2.0
"""What a bundle must hold for a network configuration: names, dtypes, shapes, bounds (docs/bundle.md)."""

from __future__ import annotations

from dyncp.base.config.framing import STANDARD
from dyncp.base.config.network import NetworkConfig
from dyncp.export.transforms.frontend import THRESHOLDS

Layout = dict[str, tuple[str, tuple[int, ...]]]


def expected_tensors(config: NetworkConfig) -> Layout:
    """Name → (dtype, shape) of everything in `network.safetensors`."""
    c, h, g, n = config.channels, config.hidden, config.gate, config.gated
    scored = config.blocks_per_gate * n
    framing = config.framing
    windows: Layout = {"window": ("int16", (framing.analysis,))}
    if framing.sizes != STANDARD.sizes:
        windows["synthesis_window"] = ("int16", (framing.synthesis,))
    expected: Layout = {
        **windows,
        "twiddle": ("int32", (framing.fft // 2, 2)),
        "sigmoid": ("uint16", (257,)),
        "features.thresholds": ("uint64", (THRESHOLDS,)),
        **_layer("front", c, config.spectrum),
    }
    for i in range(config.blocks):
        block = f"blocks.{i}"
        expected[f"{block}.input.multiplier"] = ("int32", (1,))
        if config.has_gate(i):
            if config.pooling != "window":
                expected[f"{block}.pool.coefficient"] = ("int32", (len(config.pole_frames),))
            expected |= _layer(f"{block}.gate.reduce", g, c)
            expected |= _layer(f"{block}.gate.score", scored, g, multiplier=False)
        expected |= _layer(f"{block}.expand", h, c)
        expected |= _layer(f"{block}.depthwise", h, config.kernel)
        expected |= _layer(f"{block}.project", c, h, bias=False)
    expected["back.input.multiplier"] = ("int32", (1,))
    return expected | _layer("back", config.spectrum, c)


def _layer(name: str, rows: int, columns: int, *, bias: bool = True, multiplier: bool = True) -> Layout:
    parts: Layout = {f"{name}.weight": ("int8", (rows, columns))}
    if bias:
        parts[f"{name}.bias"] = ("int32", (rows,))
    if multiplier:
        parts[f"{name}.multiplier"] = ("int32", (rows,))
    return parts


def expected_scales(config: NetworkConfig) -> dict[str, int]:
    """Name → number of values of every entry of the manifest's `scales`; 0 stands for a plain number."""
    expected = {"features": 0, "residual": 0}
    for i in range(config.blocks):
        expected |= {f"blocks.{i}.{name}": 0 for name in ("input", "expand", "depthwise")}
        if config.has_gate(i):
            scored = config.blocks_per_gate * config.gated
            expected |= {f"blocks.{i}.gate": 0, f"blocks.{i}.score": scored}
            if not config.pools_values:
                expected[f"blocks.{i}.pool"] = 0
    return expected | {"back.input": 0, "logits": 0}


def largest_inputs(config: NetworkConfig) -> dict[str, int]:
    """Name of every layer → the largest magnitude of its integer inputs, whatever the audio."""
    largest = {"front": 127, "back": 128}
    for i in range(config.blocks):
        if config.has_gate(i):
            # Pooling gives a sum of F values of int8, or 256 times their average; 256 times are also 16 bits unpooled.
            read = 128 * (config.pooled_frames if config.pooling == "window" else 256)
            largest |= {f"blocks.{i}.gate.reduce": read, f"blocks.{i}.gate.score": 32767}
        largest |= {
            f"blocks.{i}.expand": 128,
            f"blocks.{i}.depthwise": 127,
            f"blocks.{i}.project": 127,
        }
    return largest
