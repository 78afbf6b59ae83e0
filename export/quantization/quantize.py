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
from dyncp.export.integers.caps import Caps, Limit
from dyncp.export.integers.holding import decisions
from dyncp.export.integers.run import hops
from dyncp.export.quantization.calibrate import LARGEST_FACTOR_IN_TRAINING, calibrate
from dyncp.export.quantization.fold import Array, Decision, FoldedNetwork
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
    framing = folded.config.framing
    samples = _stream(calibration_pcm, framing.hop)
    features = stft.compress(stft.analyse(samples, framing), folded.config.bands)
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
    framing = folded.config.framing
    samples = _stream(calibration_pcm, framing.hop)
    features = stft.compress(stft.analyse(samples, framing), folded.config.bands)
    return calibrate(folded, features, LARGEST_FACTOR_IN_TRAINING)


def _stream(calibration_pcm: Sequence[NDArray[np.int16]], hop: int) -> NDArray[np.int16]:
    if not calibration_pcm:
        raise QuantizationError("no calibration audio; give at least one noisy recording")
    return np.concatenate([hops(pcm, hop) for pcm in calibration_pcm])


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

    def network(self, features: Array, samples: NDArray[np.int16]) -> None:
        config, thresholds = self.config, self.tensors["features.thresholds"]
        x = frontend.features(frontend.analysis(samples, config.framing), thresholds, config.bands)
        wanted = self.folded.front(features)
        residual = saturate(self.pointwise("front", x, self.folded.layers["front"](features)), 0, 32767)
        # Gates of the float and of the integer network.
        goals, active = np.zeros((2, len(x), config.blocks, config.gated), dtype=np.bool_)
        for i in range(config.blocks):
            if config.has_gate(i):
                group = slice(i, i + config.blocks_per_gate)
                limits = [self.caps.limit(gates[:, :i].sum(axis=(1, 2))) for gates in (goals, active)]
                decision = self.folded.decide(i, wanted, limits[0])
                goals[:, group] = decision.active
                active[:, group] = self.decide(i, residual, decision, limits[1])
            wanted, residual = self.block(i, wanted, residual, goals[:, i], active[:, i])
        self.pointwise("back", reference.narrow(self.tensors, "back", residual), self.folded.back(wanted))

    def decide(self, i: int, residual: Integers, goal: Decision, limit: Limit) -> reference.Active:
        """Correct the gate of block i; the gates of its group, [n, M, N]."""
        name, tensors = f"blocks.{i}", self.tensors
        when = decisions(self.config, self.config.group(i), len(residual))
        after, read = self.config.pools_values, residual[when]
        if not after:
            read = reference.pool(tensors, self.config, i, reference.narrow(tensors, name, read))
        values = saturate(self.pointwise(f"{name}.gate.reduce", read, goal.reduce), 0, 32767)
        if after:
            values = reference.pool(tensors, self.config, i, values)
        scores = self.pointwise(f"{name}.gate.score", values, goal.score)
        if self.config.blocks_per_gate > 1:
            self.open_as_often(f"{name}.gate.score", scores, goal.score)
        return reference.decide(tensors, self.config, i, residual, limit)

    def block(
        self, i: int, wanted: Array, residual: Integers, goals: reference.Active, active: reference.Active
    ) -> tuple[Array, Integers]:
        """Correct block i; `wanted` and `residual` are the float and the integer residual stream before it."""
        tensors, name, goal = self.tensors, f"blocks.{i}", self.folded.block(i, wanted, goals)
        x = reference.narrow(tensors, name, residual)
        h = saturate(self.pointwise(f"{name}.expand", x, goal.expand), 0, 127)
        if self.config.gate_site == "hidden":
            h = h * active
        sums = reference.convolve(tensors, f"{name}.depthwise", self.config.block_dilations[i], h)
        self.correct(f"{name}.depthwise", sums, goal.depthwise)
        return goal.residual, reference.block(tensors, self.config, i, residual, active)

    def pointwise(self, name: str, x: Integers, wanted: Array) -> Integers:
        """The corrected layer's output before saturation; a score where the layer has no multiplier."""
        self.correct(name, reference.accumulate(self.tensors, name, x), wanted)
        sums = reference.accumulate(self.tensors, name, x)
        return reference.requantize(self.tensors, name, sums) if f"{name}.multiplier" in self.tensors else sums

    def open_as_often(self, name: str, scores: Integers, wanted: Array) -> None:
        """Shift the biases so that each gate is open in as many decisions as in the float network.

        A mean error of 0 leaves errors at the threshold, where alone they matter, one-sided; blocks that share a gate
        open and close together, and so would all close too often. A gate that is always open, or never, keeps its bias.
        """
        opened = (wanted > 0).sum(axis=0)
        ranked = -np.sort(-scores.astype(np.int64), axis=0)
        moves = np.flatnonzero((opened > 0) & (opened < len(wanted)))
        # Halfway between the last score that has to be positive and the first that must not.
        last, first = ranked[opened[moves] - 1, moves], ranked[opened[moves], moves]
        bias = self.tensors[f"{name}.bias"].astype(np.int64)
        bias[moves] -= (last + first) // 2
        self.tensors[f"{name}.bias"] = np.clip(bias, -(2**31), 2**31 - 1).astype(np.int32)

    def correct(self, name: str, sums: Integers, wanted: Array) -> None:
        """Shift the biases by the mean error of the accumulators against the float network's."""
        error = wanted.mean(axis=0) / self.rounded.units[name] - sums.mean(axis=0)
        corrected = self.tensors[f"{name}.bias"] + np.round(error)
        self.tensors[f"{name}.bias"] = np.clip(corrected, -(2**31), 2**31 - 1).astype(np.int32)
