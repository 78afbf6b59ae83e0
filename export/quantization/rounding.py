# SPDX-License-Identifier: Apache-2.0
"""Given the scales, the integers of a network follow from its weights alone: this rounds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import LEAST_POLE, NetworkConfig
from dyncp.base.errors import QuantizationError
from dyncp.export.formats.bundle import Scales, Tensors
from dyncp.export.formats.layout import expected_scales, largest_inputs
from dyncp.export.quantization.calibrate import weight_scales
from dyncp.export.quantization.fold import Array, FoldedNetwork
from dyncp.export.transforms import frontend


@dataclass
class Rounded:
    """What `round_network` gives."""

    tensors: Tensors
    scales: Scales
    """Those of docs/bundle.md, the scores' included."""
    rows: dict[str, Array]
    """Layer → real value of one unit of its weights, [rows]."""
    units: dict[str, Array]
    """Layer → real value of one unit of its accumulators, [rows]."""


def inputs_and_outputs(config: NetworkConfig) -> dict[str, tuple[str, str | None]]:
    """Layer → names of the scales of its input and its output; a score has none."""
    layers: dict[str, tuple[str, str | None]] = {"front": ("features", "residual")}
    for i in range(config.blocks):
        name = f"blocks.{i}"
        if config.has_gate(i):
            read = "residual" if config.pools_values else f"{name}.pool"
            layers[f"{name}.gate.reduce"] = (read, f"{name}.gate")
            layers[f"{name}.gate.score"] = (f"{name}.gate", None)
        layers[f"{name}.expand"] = (f"{name}.input", f"{name}.expand")
        layers[f"{name}.depthwise"] = (f"{name}.expand", f"{name}.depthwise")
        layers[f"{name}.project"] = (f"{name}.depthwise", "residual")
    return layers | {"back": ("back.input", "logits")}


def round_network(folded: FoldedNetwork, scales: dict[str, float]) -> Rounded:
    """Every integer of docs/bundle.md for a folded network and the scales of `calibrate`.

    Raises QuantizationError, naming it, for a scale that is missing or not positive and finite, and for a layer whose
    factor is one half or more.
    """
    for name, scale in scales.items():
        if not (np.isfinite(scale) and scale > 0):
            raise QuantizationError(f"scale of `{name}` is {scale}; it must be positive and finite")
    config = folded.config
    missing = [n for n in expected_scales(config) if n not in scales and not n.endswith(".score")]
    if missing:
        raise QuantizationError(f"scales: {', '.join(missing)} missing; the network is not the one they were found for")
    tensors: Tensors = {
        **frontend.tables(config.framing),
        "features.thresholds": frontend.feature_thresholds(scales["features"], config.fft),
    }
    result = Rounded(tensors, dict(scales), {}, {})
    for name in [*(f"blocks.{i}" for i in range(config.blocks)), "back"]:
        factor = np.array([scales["residual"] / scales[f"{name}.input"]])
        tensors[f"{name}.input.multiplier"] = multiplier(factor, f"{name}.input")
    for i in range(config.blocks):
        if config.has_gate(i) and config.pooling != "window":
            frames = np.array(config.pole_frames)
            # The fewest ask for one half, of which rmul takes all but 2^-31.
            factor = np.where(frames == LEAST_POLE, 0.5 - 2.0**-31, 2 / (frames + 1))
            tensors[f"blocks.{i}.pool.coefficient"] = multiplier(factor, f"blocks.{i}.pool")
    for layer, (source, target) in inputs_and_outputs(config).items():
        _round_layer(folded, result, layer, scales[source], None if target is None else scales[target])
    return result


def multiplier(factor: Array, layer: str) -> NDArray[np.int32]:
    """Real factors in Q31. Raises QuantizationError unless they are finite and in [0, 1/2)."""
    if not np.all(np.isfinite(factor) & (factor >= 0) & (factor < 0.5)):
        raise QuantizationError(f"{layer}: factor {factor.max()} is outside [0, 1/2); its scales do not fit")
    return np.minimum(np.round(factor * 2.0**31), 2**30 - 1).astype(np.int32)


def _round_layer(folded: FoldedNetwork, result: Rounded, name: str, source: float, target: float | None) -> None:
    layer = folded.layers[name]
    rows = result.rows[name] = weight_scales(layer, source, largest_inputs(folded.config)[name])
    unit = result.units[name] = rows * source
    result.tensors[f"{name}.weight"] = np.round(layer.weight / rows[:, None]).astype(np.int8)
    if not name.endswith(".project"):
        result.tensors[f"{name}.bias"] = np.round(layer.bias / unit).astype(np.int32)
    if target is None:
        result.scales[f"{name.removesuffix('.gate.score')}.score"] = unit.tolist()
    else:
        result.tensors[f"{name}.multiplier"] = multiplier(unit / target, name)
