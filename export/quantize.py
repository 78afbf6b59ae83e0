# SPDX-License-Identifier: Apache-2.0
"""Post-training quantization: a folded float network and calibration audio to the integers of docs/arithmetic.md.

Scales come first, from the float network on the calibration audio. Then the layers are quantized in the order of
execution; each bias is corrected by the mean error that the integer network, as far as it exists, shows there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.export import frontend, reference, stft
from dyncp.export.bundle import Bundle, Probes, Scales, Tensors, check
from dyncp.export.calibrate import calibrate, weight_scales
from dyncp.export.caps import Caps, highest
from dyncp.export.fold import Array, BlockActivations, FoldedNetwork
from dyncp.export.frontend import Integers, saturate
from dyncp.export.layout import largest_inputs
from dyncp.export.run import hops
from dyncp.train.errors import BundleError, QuantizationError


def quantize(
    folded: FoldedNetwork, calibration_pcm: Sequence[NDArray[np.int16]], probes: Probes | None = None
) -> Bundle:
    """Quantize for audio like `calibration_pcm`: noisy int16 PCM, whole numbers of hops, taken as one stream.

    Raises QuantizationError where the arithmetic cannot express the network: a scale that is not positive and
    finite, a factor of one half or more, a possible overflow; AudioError for audio that cannot be used.
    """
    if not calibration_pcm:
        raise QuantizationError("no calibration audio; give at least one noisy recording")
    samples = np.concatenate([hops(pcm) for pcm in calibration_pcm])
    features = stft.compress(stft.analyse(samples))
    quantizer = _Quantizer(folded, calibrate(folded, features))
    quantizer.network(features, samples)
    sources = {"checkpoint": folded.source, "calibration": hashlib.sha256(samples.tobytes()).hexdigest()}
    bundle = Bundle(folded.config, quantizer.tensors, quantizer.manifest_scales, sources, probes)
    try:
        check(bundle)
    except BundleError as error:
        raise QuantizationError(f"the quantized network breaks docs/arithmetic.md: {error}") from None
    return bundle


def multiplier(factor: Array, layer: str) -> NDArray[np.int32]:
    """Real factors in Q31. Raises QuantizationError unless they are finite and in [0, 1/2)."""
    if not np.all(np.isfinite(factor) & (factor >= 0) & (factor < 0.5)):
        raise QuantizationError(f"{layer}: factor {factor.max()} is outside [0, 1/2); its scales do not fit")
    return np.minimum(np.round(factor * 2.0**31), 2**30 - 1).astype(np.int32)


class _Quantizer:
    """Walks through the network once, with the float and the integer activations side by side."""

    def __init__(self, folded: FoldedNetwork, scales: dict[str, float]) -> None:
        for name, scale in scales.items():
            if not (np.isfinite(scale) and scale > 0):
                raise QuantizationError(f"scale of `{name}` is {scale}; it must be positive and finite")
        self.folded, self.config, self.scales = folded, folded.config, scales
        self.caps = Caps.of(self.config)
        # Active channels of each frame so far, of the float and the integer network: [2, n].
        self.used = np.zeros((2, 0), np.int64)
        self.units: dict[str, Array] = {}
        self.largest = largest_inputs(folded.config)
        self.manifest_scales: Scales = dict(scales)
        self.tensors: Tensors = {
            "window": frontend.window(),
            "twiddle": frontend.twiddle(),
            "sigmoid": frontend.sigmoid(),
            "features.thresholds": frontend.feature_thresholds(scales["features"]),
        }

    def network(self, features: Array, samples: NDArray[np.int16]) -> None:
        x = frontend.features(frontend.analysis(samples), self.tensors["features.thresholds"])
        wanted = self.folded.front(features)
        self.layer("front", "features", "residual")
        residual = saturate(self.pointwise("front", x, self.folded.layers["front"](features)), 0, 32767)
        self.used = np.zeros((2, len(x)), np.int64)
        for i in range(self.config.blocks):
            wanted, residual = self.block(i, wanted, residual)
        self.layer("back", "back.input", "logits")
        self.pointwise("back", self.narrow("back", residual), self.folded.back(wanted))

    def block(self, i: int, wanted: Array, residual: Integers) -> tuple[Array, Integers]:
        """Quantize block i; `wanted` and `residual` are the float and the integer residual stream before it."""
        limits = [self.caps.limit(used) for used in self.used]
        tensors, name, goal = self.tensors, f"blocks.{i}", self.folded.block(i, wanted, limits[0])
        x = self.narrow(name, residual)
        scores = self.gate(i, x, goal) if self.config.gated else np.zeros((len(x), 0), np.int64)
        active = highest(scores, limits[1])
        self.used += [goal.active.sum(axis=1), active.sum(axis=1)]
        self.layer(f"{name}.expand", f"{name}.input", f"{name}.expand")
        self.layer(f"{name}.depthwise", f"{name}.expand", f"{name}.depthwise")
        self.layer(f"{name}.project", f"{name}.depthwise", "residual")
        h = saturate(self.pointwise(f"{name}.expand", x, goal.expand), 0, 127)
        if self.config.gate_site == "hidden":
            h = h * active
        sums = reference.convolve(tensors, f"{name}.depthwise", self.config.block_dilations[i], h)
        self.correct(f"{name}.depthwise", sums, goal.depthwise)
        return goal.residual, reference.block(tensors, self.config, i, residual, limits[1])[0]

    def gate(self, i: int, x: Integers, goal: BlockActivations) -> Integers:
        """Quantize block i's gate, whose input is `x`; its scores, [n, N]."""
        name = f"blocks.{i}"
        if self.config.pooling == "ema":
            factor = np.array([2 / (self.config.pooling_frames + 1)])
            self.tensors[f"{name}.pool.coefficient"] = multiplier(factor, f"{name}.pool")
        self.layer(f"{name}.gate.reduce", f"{name}.pool", f"{name}.gate")
        self.layer(f"{name}.gate.score", f"{name}.gate", None)
        pooled = reference.pool(self.tensors, self.config, i, x)
        bottleneck = saturate(self.pointwise(f"{name}.gate.reduce", pooled, goal.reduce), 0, 32767)
        return self.pointwise(f"{name}.gate.score", bottleneck, goal.score)

    def layer(self, name: str, source: str, target: str | None) -> None:
        """Round a layer's weights and biases; `source` and `target` name the scales of its input and output."""
        layer, step = self.folded.layers[name], self.scales[source]
        rows = weight_scales(layer, step, self.largest[name])
        unit = self.units[name] = rows * step
        self.tensors[f"{name}.weight"] = np.round(layer.weight / rows[:, None]).astype(np.int8)
        if not name.endswith(".project"):
            self.tensors[f"{name}.bias"] = np.round(layer.bias / unit).astype(np.int32)
        if target is None:
            self.manifest_scales[f"{name.removesuffix('.gate.score')}.score"] = unit.tolist()
        else:
            self.tensors[f"{name}.multiplier"] = multiplier(unit / self.scales[target], name)

    def narrow(self, name: str, residual: Integers) -> Integers:
        factor = np.array([self.scales["residual"] / self.scales[f"{name}.input"]])
        self.tensors[f"{name}.input.multiplier"] = multiplier(factor, f"{name}.input")
        return reference.narrow(self.tensors, name, residual)

    def pointwise(self, name: str, x: Integers, wanted: Array) -> Integers:
        """The corrected layer's output before saturation; a score where the layer has no multiplier."""
        self.correct(name, reference.accumulate(self.tensors, name, x), wanted)
        sums = reference.accumulate(self.tensors, name, x)
        return reference.requantize(self.tensors, name, sums) if f"{name}.multiplier" in self.tensors else sums

    def correct(self, name: str, sums: Integers, wanted: Array) -> None:
        """Shift the biases by the mean error of the accumulators against the float network's."""
        error = wanted.mean(axis=0) / self.units[name] - sums.mean(axis=0)
        corrected = self.tensors[f"{name}.bias"] + np.round(error)
        self.tensors[f"{name}.bias"] = np.clip(corrected, -(2**31), 2**31 - 1).astype(np.int32)
