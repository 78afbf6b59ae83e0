# SPDX-License-Identifier: Apache-2.0
"""From a folded float network to the integers of docs/arithmetic.md, in one of two ways.

Post-training: scales come from the float network on calibration audio, weights are rounded,
and each bias is corrected by the mean error that the integer network shows there, layer by layer in the order of
execution. After quantization-aware training the checkpoint brings its scales, and rounding is all there is to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import BundleError, QuantizationError
from dyncp.export.formats.bundle import Bundle, Probes, check
from dyncp.export.integers import reference
from dyncp.export.integers.caps import Caps, highest
from dyncp.export.integers.run import hops
from dyncp.export.quantization.calibrate import LARGEST_FACTOR_IN_TRAINING, calibrate
from dyncp.export.quantization.fold import Array, BlockActivations, FoldedNetwork
from dyncp.export.quantization.rounding import Rounded, round_network
from dyncp.export.transforms import frontend, stft
from dyncp.export.transforms.frontend import Integers, saturate


def quantize(
    folded: FoldedNetwork, calibration_pcm: Sequence[NDArray[np.int16]], probes: Probes | None = None
) -> Bundle:
    """Quantize for audio like `calibration_pcm`: noisy int16 PCM, whole numbers of hops, taken as one stream.

    Raises QuantizationError where the arithmetic cannot express the network: a scale that is not positive and
    finite, a factor of one half or more, a possible overflow; AudioError for audio that cannot be used.
    """
    samples = _stream(calibration_pcm)
    features = stft.compress(stft.analyse(samples))
    correction = _BiasCorrection(folded, round_network(folded, calibrate(folded, features)))
    correction.network(features, samples)
    sources = {"checkpoint": folded.source, "calibration": hashlib.sha256(samples.tobytes()).hexdigest()}
    return _bundle(folded, correction.rounded, sources, probes)


def quantize_trained(folded: FoldedNetwork, scales: dict[str, float], probes: Probes | None = None) -> Bundle:
    """The integers with which quantization-aware training ran forward: those that follow from its `scales`.

    Raises QuantizationError as `quantize` does.
    """
    return _bundle(folded, round_network(folded, scales), {"checkpoint": folded.source}, probes)


def scales_for(folded: FoldedNetwork, calibration_pcm: Sequence[NDArray[np.int16]]) -> dict[str, float]:
    """The scales with which quantization-aware training starts, and which it keeps."""
    features = stft.compress(stft.analyse(_stream(calibration_pcm)))
    return calibrate(folded, features, LARGEST_FACTOR_IN_TRAINING)


def _stream(calibration_pcm: Sequence[NDArray[np.int16]]) -> NDArray[np.int16]:
    if not calibration_pcm:
        raise QuantizationError("no calibration audio; give at least one noisy recording")
    return np.concatenate([hops(pcm) for pcm in calibration_pcm])


def _bundle(folded: FoldedNetwork, rounded: Rounded, sources: dict[str, str], probes: Probes | None) -> Bundle:
    bundle = Bundle(folded.config, rounded.tensors, rounded.scales, sources, probes)
    try:
        check(bundle)
    except BundleError as error:
        raise QuantizationError(f"the quantized network breaks docs/arithmetic.md: {error}") from None
    return bundle


class _BiasCorrection:
    """Walks through the network once, with the float and the integer activations side by side."""

    def __init__(self, folded: FoldedNetwork, rounded: Rounded) -> None:
        self.folded, self.config, self.rounded, self.tensors = folded, folded.config, rounded, rounded.tensors
        self.caps = Caps.of(self.config)
        # Active channels of each frame so far, of the float and the integer network: [2, n].
        self.used = np.zeros((2, 0), np.int64)

    def network(self, features: Array, samples: NDArray[np.int16]) -> None:
        x = frontend.features(frontend.analysis(samples), self.tensors["features.thresholds"])
        wanted = self.folded.front(features)
        residual = saturate(self.pointwise("front", x, self.folded.layers["front"](features)), 0, 32767)
        self.used = np.zeros((2, len(x)), np.int64)
        for i in range(self.config.blocks):
            wanted, residual = self.block(i, wanted, residual)
        self.pointwise("back", reference.narrow(self.tensors, "back", residual), self.folded.back(wanted))

    def block(self, i: int, wanted: Array, residual: Integers) -> tuple[Array, Integers]:
        """Correct block i; `wanted` and `residual` are the float and the integer residual stream before it."""
        limits = [self.caps.limit(used) for used in self.used]
        tensors, name, goal = self.tensors, f"blocks.{i}", self.folded.block(i, wanted, limits[0])
        x = reference.narrow(tensors, name, residual)
        scores = self.gate(i, x, goal) if self.config.gated else np.zeros((len(x), 0), np.int64)
        active = highest(scores, limits[1])
        self.used += [goal.active.sum(axis=1), active.sum(axis=1)]
        h = saturate(self.pointwise(f"{name}.expand", x, goal.expand), 0, 127)
        if self.config.gate_site == "hidden":
            h = h * active
        sums = reference.convolve(tensors, f"{name}.depthwise", self.config.block_dilations[i], h)
        self.correct(f"{name}.depthwise", sums, goal.depthwise)
        return goal.residual, reference.block(tensors, self.config, i, residual, limits[1])[0]

    def gate(self, i: int, x: Integers, goal: BlockActivations) -> Integers:
        """Correct block i's gate, whose input is `x`; its scores, [n, N]."""
        name = f"blocks.{i}"
        pooled = reference.pool(self.tensors, self.config, i, x)
        bottleneck = saturate(self.pointwise(f"{name}.gate.reduce", pooled, goal.reduce), 0, 32767)
        return self.pointwise(f"{name}.gate.score", bottleneck, goal.score)

    def pointwise(self, name: str, x: Integers, wanted: Array) -> Integers:
        """The corrected layer's output before saturation; a score where the layer has no multiplier."""
        self.correct(name, reference.accumulate(self.tensors, name, x), wanted)
        sums = reference.accumulate(self.tensors, name, x)
        return reference.requantize(self.tensors, name, sums) if f"{name}.multiplier" in self.tensors else sums

    def correct(self, name: str, sums: Integers, wanted: Array) -> None:
        """Shift the biases by the mean error of the accumulators against the float network's."""
        error = wanted.mean(axis=0) / self.rounded.units[name] - sums.mean(axis=0)
        corrected = self.tensors[f"{name}.bias"] + np.round(error)
        self.tensors[f"{name}.bias"] = np.clip(corrected, -(2**31), 2**31 - 1).astype(np.int32)
