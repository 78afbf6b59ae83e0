# SPDX-License-Identifier: Apache-2.0
"""Scales: the real value of one unit of every tensor, from the float network on calibration audio.

An int8 tensor's scale puts its largest calibrated magnitude at 127; inside a block, where single conv channels reach
far beyond all others, the magnitude that 0.01 % of the values exceed. Clipping more, as minimising the mean square
error of rounding and clipping would, was measured to cost 3 to 4 dB of output and to double the differing mask bits:
peaks are what speech onsets are made of. Equalizing conv channels before (Nagel et al., 2019) gained nothing with gates
on the output, and cost up to 20 dB with gates on these channels, whose sizes depend on what else runs; channels of the
residual stream are another matter (train/finishing/equalizing.py).
"""

from __future__ import annotations

import numpy as np

from dyncp.base.errors import QuantizationError
from dyncp.export.formats.bundle import LOGIT_SCALE
from dyncp.export.formats.layout import largest_inputs
from dyncp.export.integers.caps import Caps
from dyncp.export.quantization.fold import Array, FoldedNetwork, Layer, relu
from dyncp.export.transforms import frontend

# The residual stream and the gates have 16 bits: room for audio louder than what was calibrated with.
HEADROOM = 2.0
# Of the values inside a block, those beyond their scale's range.
CLIPPED = 1e-4
# rmul takes factors below one half; an output scale is made coarser rather than exceed it.
LARGEST_FACTOR = 0.499
# The same where weights are to be trained on with the scales that are found here, and may grow.
LARGEST_FACTOR_IN_TRAINING = 0.3
# Half of an accumulator's range; bias correction moves within the rest.
LARGEST_SUM = 2**30
# Where the thresholds of docs/arithmetic.md, section 5, can be told apart and fit 64 bits.
COARSEST_FEATURES = 5.5  # times the finest

ADVICE = (
    "Weights of this size come of a training that diverged: train again at a lower rate (training.learning_rate, "
    "final_learning_rate)"
)


def calibrate(folded: FoldedNetwork, features: Array, largest_factor: float = LARGEST_FACTOR) -> dict[str, float]:
    """The `scales` of docs/bundle.md but for the scores, for features [n, F].

    Raises QuantizationError for activations that are not finite, and for a block or a last layer whose weights are
    too large.
    """
    config, peaks = folded.config, measure(folded, features)
    _check_gains(folded, largest_factor)
    inputs = [f"blocks.{i}.input" for i in range(config.blocks)] + ["back.input"]
    residual = HEADROOM * max(peaks[name] for name in inputs) / 32767
    # The inputs' scales follow from the residual stream's, which a block's weights may in turn make coarser.
    while True:
        scales = _scales(folded, peaks, residual, largest_factor)
        if scales["residual"] == residual:
            break
        residual = scales["residual"]
    if residual >= scales["back.input"] / 2:
        largest = np.abs(folded.layers["back"].weight).max()
        raise QuantizationError(
            f"back: one unit of the residual stream is {residual:.3g}, and times the largest weight, {largest:.3g}, it "
            f"must stay below {127 * LOGIT_SCALE / 4:.3g}, as logits have a fixed scale; the blocks' weights or these "
            f"are too large. {ADVICE}"
        )
    return scales


def _scales(folded: FoldedNetwork, peaks: dict[str, float], residual: float, largest_factor: float) -> dict[str, float]:
    """All scales, given that of the residual stream, or a coarser one."""
    config = folded.config
    finest = frontend.finest(config.fft)
    features = float(np.clip(peaks["features"] / 127, finest, COARSEST_FEATURES * finest))
    scales = {"features": features, "logits": LOGIT_SCALE, "residual": residual}

    def fitting(layer: str, source: str, scale: float) -> float:
        """`scale` of a layer's output, made coarse enough for its multipliers."""
        rows = weight_scales(folded.layers[layer], scales[source], largest_inputs(config)[layer])
        return max(scale, float(rows.max()) * scales[source] / largest_factor)

    coarsest = fitting("front", "features", residual)
    for i in range(config.blocks):
        name = f"blocks.{i}"
        scales[f"{name}.input"] = max(peaks[f"{name}.input"] / 127, residual / largest_factor)
        if config.has_gate(i):
            read = "residual" if config.pools_values else f"{name}.pool"
            if not config.pools_values:
                frames = config.pooled_frames if config.pooling == "window" else 256
                scales[f"{name}.pool"] = scales[f"{name}.input"] / frames
            gate = HEADROOM * peaks[f"{name}.gate"] / 32767
            scales[f"{name}.gate"] = fitting(f"{name}.gate.reduce", read, gate)
        for part, source in (("expand", "input"), ("depthwise", "expand")):
            scale = peaks[f"{name}.{part}"] / 127
            scales[f"{name}.{part}"] = fitting(f"{name}.{part}", f"{name}.{source}", scale)
        coarsest = fitting(f"{name}.project", f"{name}.depthwise", coarsest)
    scales["residual"] = coarsest
    # The logits' scale is given, so that here the input's must fit.
    finest = largest_factor * LOGIT_SCALE / float(weight_scales(folded.layers["back"], 1.0, 0).max())
    scales["back.input"] = min(max(peaks["back.input"] / 127, residual / largest_factor), finest)
    return scales


def _check_gains(folded: FoldedNetwork, largest_factor: float) -> None:
    """Raises QuantizationError for a block that no scale of the residual stream fits.

    Each step of a block makes its output's scale at least 1 / `largest_factor` of what a unit of its accumulator is
    worth. Where they end with a coarser scale than they began with, the stream's must be made coarser, and then the
    input's that they begin with, without end.
    """
    for i in range(folded.config.blocks):
        largest = {
            part: float(np.abs(folded.layers[f"blocks.{i}.{part}"].weight).max())
            for part in ("expand", "depthwise", "project")
        }
        most = (127 * largest_factor) ** len(largest) * largest_factor
        product = float(np.prod(list(largest.values())))
        if product > most:
            weights = ", ".join(f"{part} {weight:.3g}" for part, weight in largest.items())
            raise QuantizationError(
                f"blocks.{i} amplifies its input too much for int8: its largest weights, batch norm included, are "
                f"{weights}; their product is {product:.3g}, and may be {most:.3g}. {ADVICE}"
            )


def measure(folded: FoldedNetwork, features: Array) -> dict[str, float]:
    """Magnitude to be expressed of every tensor that is stored, under the names of its scale."""
    residual = folded.front(features)
    peaks, caps = {"features": _peak(features, "features")}, Caps.of(folded.config)
    config = folded.config
    active = np.zeros((len(features), config.blocks, config.gated), dtype=np.bool_)
    for i in range(config.blocks):
        name = f"blocks.{i}"
        peaks[f"{name}.input"] = _peak(residual, f"{name}.input")
        if config.has_gate(i):
            decision = folded.decide(i, residual, caps.limit(active[:, :i].sum(axis=(1, 2))))
            active[:, i : i + config.blocks_per_gate] = decision.active
            peaks[f"{name}.gate"] = _peak(relu(decision.reduce), f"{name}.gate")
        block = folded.block(i, residual, active[:, i])
        runs = active[:, i] if config.gate_site == "hidden" else 1
        for part, values in (("expand", block.expand), ("depthwise", block.depthwise)):
            peaks[f"{name}.{part}"] = _peak(relu(values) * runs, f"{name}.{part}", CLIPPED)
        residual = block.residual
    return peaks | {"back.input": _peak(residual, "back.input")}


def weight_scales(layer: Layer, input_scale: float, largest_input: int) -> Array:
    """One scale a row: the largest weight is 127, unless the accumulator could then exceed half its range."""
    by_weight = np.abs(layer.weight).max(axis=1) / 127
    by_sum = (np.abs(layer.weight).sum(axis=1) * largest_input + np.abs(layer.bias) / input_scale) / LARGEST_SUM
    scales = np.maximum(by_weight, by_sum)
    # A row of zeros needs a scale too, any.
    return np.where(scales > 0, scales, scales.max() if scales.any() else 1 / 127)


def _peak(values: Array, name: str, clipped: float = 0.0) -> float:
    """Magnitude that a share of `clipped` exceeds; 1 where all is zero, as where a channel is never active."""
    peak = float(np.quantile(np.abs(values), 1 - clipped)) if values.size else 0.0
    if not np.isfinite(peak):
        raise QuantizationError(f"{name} is not finite on the calibration audio; train again")
    return peak if peak > 0 else 1.0
