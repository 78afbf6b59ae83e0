# SPDX-License-Identifier: Apache-2.0
"""The NumPy reference of docs/arithmetic.md: what every other engine must equal, bit for bit.

The network is feed-forward, so it is evaluated layer by layer over all frames at once: a ring becomes a shifted
array, a running sum the difference of two cumulative sums. Values are int64, which holds every intermediate.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Bundle, Tensors
from dyncp.export.formats.masks import pack_block, pack_masks
from dyncp.export.integers.caps import Caps, Limit, highest
from dyncp.export.integers.controls import Settings, gains
from dyncp.export.integers.holding import decisions, held, only_then
from dyncp.export.integers.readout import probe_signals, probe_words
from dyncp.export.integers.run import Run, hops
from dyncp.export.transforms import frontend
from dyncp.export.transforms.frontend import Integers, rmul, saturate

Trace = dict[str, NDArray[np.generic]]
Active = NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)


def run(
    bundle: Bundle,
    pcm: NDArray[np.int16],
    trace: bool = False,
    caps: Caps | None = None,
    settings: Sequence[Settings] | None = None,
) -> Run:
    """Enhance int16 PCM [n · hop] from the initial state, as docs/arithmetic.md says.

    With `trace`, every stage of docs/emitted-c.md is kept under its name, [n, count] in its dtype. `caps` stand in for
    those of the configuration, as firmware may set them between frames; so do `settings`, one for each frame, for the
    defaults. Raises AudioError for audio that is not a positive whole number of hops.
    """
    framing = bundle.config.framing
    samples = hops(pcm, framing.hop)
    stages: Trace | None = {} if trace else None
    spectrum = frontend.analysis(samples, framing)
    _keep(stages, "spectrum", np.stack(spectrum, axis=2).reshape(len(samples), -1), "int32")
    features = frontend.features(spectrum, bundle.tensors["features.thresholds"], bundle.config.bands)
    _keep(stages, "features", features, "int8")
    suppression, active = network(bundle, features, stages, caps, settings)
    output = frontend.synthesis(spectrum, suppression, framing)
    _keep(stages, "synthesis", output, "int16")
    words = signals = probe_words(bundle.probes, bundle.config, active)
    if bundle.probes is not None:
        signals = probe_signals(bundle.probes, words)
        _keep(stages, "probes", words, "int32")
        _keep(stages, "signals", signals, "int32")
    count = active.sum(axis=(1, 2), dtype=np.int64)
    macs = bundle.config.macs_by_frame(count)
    masks = pack_masks(active, bundle.config)
    return Run(output.reshape(-1), masks, words, signals, macs, count, stages or {})


def network(
    bundle: Bundle,
    features: Integers,
    trace: Trace | None = None,
    caps: Caps | None = None,
    settings: Sequence[Settings] | None = None,
) -> tuple[Integers, Active]:
    """Section 6: features [n, F] to the suppression mask M [n, bins] and the gates, bool [n, blocks, N].

    With `settings`, one for each frame, the gain G of section 11 instead of M. The trace holds it as the network does,
    of bands or bins.
    """
    caps = caps or Caps.of(bundle.config)
    tensors, config = bundle.tensors, bundle.config
    residual = front(tensors, features)
    _keep(trace, "front", residual, "int16")
    active = np.zeros((len(features), config.blocks, config.gated), dtype=np.bool_)
    for i in range(config.blocks):
        if trace is not None and not config.pools_values:
            # Stages are in their order on the device. What a block reads depends on its gate: this is written over.
            trace[f"block{i}_input"] = residual
        if config.has_gate(i):
            group = slice(i, i + config.blocks_per_gate)
            active[:, group] = decide(tensors, config, i, residual, caps.limit(active[:, :i].sum(axis=(1, 2))), trace)
        residual = block(tensors, config, i, residual, active[:, i], trace)
    x8 = narrow(tensors, "back", residual)
    logits = back(tensors, x8)
    mask = frontend.suppression(logits)
    suppression = mask if settings is None else gains(mask, settings)
    _keep(trace, "back_input", x8, "int8")
    _keep(trace, "logits", logits, "int16")
    _keep(trace, "suppression", suppression, "uint16")
    return frontend.over_bins(suppression, config.bands), active


def front(tensors: Tensors, features: Integers) -> Integers:
    """Features [n, F] to the residual stream [n, C]."""
    return saturate(requantize(tensors, "front", accumulate(tensors, "front", features)), 0, 32767)


def decide(
    tensors: Tensors, config: NetworkConfig, i: int, residual: Integers, limit: Limit, trace: Trace | None = None
) -> Active:
    """The gate of block i, the first of its group: at most `limit` open gates per block, bool [n, M, N].

    They hold until the group's next decision. What a trace shows of frames without one is zero, but for the pooling,
    which keeps its value.
    """
    frames, when = len(residual), decisions(config, config.group(i), len(residual))
    if config.pools_values:
        gate = bottleneck(tensors, i, residual[when])
        pooled = pool(tensors, config, i, gate)
        score = scores(tensors, i, pooled)
    else:
        pooled = pool(tensors, config, i, narrow(tensors, f"blocks.{i}", residual[when]))
        gate = bottleneck(tensors, i, pooled)
        score = scores(tensors, i, gate)
    by_block = score.reshape(len(score), config.blocks_per_gate, config.gated)
    limits = np.broadcast_to(limit, frames)[when]
    opened = np.stack([highest(by_block[:, m], limits) for m in range(config.blocks_per_gate)], axis=1)
    active = held(opened, when, frames)
    stages = {"pool": held(pooled, when, frames), "gate": only_then(gate, when, frames)}
    for stage in ("gate", "pool") if config.pools_values else ("pool", "gate"):
        _keep(trace, f"block{i}_{stage}", stages[stage], "int16")
    _keep(trace, f"block{i}_score", only_then(score, when, frames), "int32")
    _keep(trace, f"block{i}_mask", pack_block(active).reshape(frames, -1), "uint32")
    return active


def block(
    tensors: Tensors, config: NetworkConfig, i: int, residual: Integers, active: Active, trace: Trace | None = None
) -> Integers:
    """Steps 4 to 6 of block i: the residual stream [n, C] to the one after it, with the gates [n, N]."""
    x8 = narrow(tensors, f"blocks.{i}", residual)
    h = expand(tensors, config, i, x8, active)
    d = depthwise(tensors, config, i, h, active)
    residual = project(tensors, config, i, d, residual, active)

    _keep(trace, f"block{i}_input", x8 * reads_input(config, i, active)[:, None], "int8")
    _keep(trace, f"block{i}_expand", h, "int8")
    _keep(trace, f"block{i}_depthwise", d, "int8")
    _keep(trace, f"block{i}_project", residual, "int16")
    return residual


def expand(tensors: Tensors, config: NetworkConfig, i: int, x8: Integers, active: Active) -> Integers:
    """Step 4: a block's input [n, C] to its conv channels [n, H]."""
    layer = f"blocks.{i}.expand"
    h = saturate(requantize(tensors, layer, accumulate(tensors, layer, x8)), 0, 127)
    return h * active if config.gate_site == "hidden" else h


def depthwise(tensors: Tensors, config: NetworkConfig, i: int, h: Integers, active: Active) -> Integers:
    """Step 5: conv channels [n, H], convolved with their own past."""
    layer = f"blocks.{i}.depthwise"
    d = saturate(requantize(tensors, layer, convolve(tensors, layer, config.block_dilations[i], h)), 0, 127)
    return d * active if config.gate_site == "hidden" else d


def project(
    tensors: Tensors, config: NetworkConfig, i: int, d: Integers, residual: Integers, active: Active
) -> Integers:
    """Step 6: what the conv channels [n, H] add to the residual stream [n, C]."""
    layer = f"blocks.{i}.project"
    update = requantize(tensors, layer, accumulate(tensors, layer, d))
    if config.gate_site == "output":
        update = update * active
    return saturate(residual + update, -32768, 32767)


def back(tensors: Tensors, x8: Integers) -> Integers:
    """The back-end's input [n, C] to the logits [n, F]."""
    return saturate(requantize(tensors, "back", accumulate(tensors, "back", x8)), -32768, 32767)


def reads_input(config: NetworkConfig, i: int, active: Active) -> NDArray[np.bool_]:
    """Whether block i narrows its input in each frame, [n]: not where no channel runs and its gate does not read it."""
    if config.gate_site != "hidden":
        return np.ones(len(active), dtype=np.bool_)
    reads = np.asarray(active.any(axis=1))
    if config.has_gate(i) and not config.pools_values:
        reads[decisions(config, config.group(i), len(active))] = True
    return reads


def narrow(tensors: Tensors, name: str, residual: Integers) -> Integers:
    """The residual stream in the int8 units of one block's, or the back-end's, input."""
    return saturate(rmul(residual, int(tensors[f"{name}.input.multiplier"][0])), -128, 127)


def pool(tensors: Tensors, config: NetworkConfig, i: int, x: Integers) -> Integers:
    """What a gate pools, in the frames of its decisions: of a block's inputs [n, C] the sum over the last F or 256
    times the one-pole average, or the one-pole averages of the gate's values [n, G]."""
    if config.pooling == "window":
        total = np.cumsum(x, axis=0)
        return total - delayed(total, config.pooled_frames)
    average = np.zeros_like(x)
    previous = np.zeros_like(x, shape=x.shape[1])
    for n, frame in enumerate(x):
        previous = average[n] = follow(tensors, config, i, previous, frame)
    return average


def follow(tensors: Tensors, config: NetworkConfig, i: int, average: Integers, x: Integers) -> Integers:
    """One-pole averages after one more of what they average."""
    unit = 1 if config.pools_values else 256
    return average + rmul(unit * x - average, tensors[f"blocks.{i}.pool.coefficient"].astype(np.int64))


def bottleneck(tensors: Tensors, i: int, x: Integers) -> Integers:
    """The values of a gate, [n, G], of what it reads, [n, C]."""
    layer = f"blocks.{i}.gate.reduce"
    return saturate(requantize(tensors, layer, accumulate(tensors, layer, x)), 0, 32767)


def scores(tensors: Tensors, i: int, values: Integers) -> Integers:
    """The scores, [n, M · N], of a gate's values [n, G] or of their averages."""
    return accumulate(tensors, f"blocks.{i}.gate.score", values)


def convolve(tensors: Tensors, layer: str, dilation: int, h: Integers) -> Integers:
    """Accumulators of a block's depthwise convolution, [n, H] to [n, H]."""
    return taps(tensors[f"{layer}.weight"].astype(np.int64), dilation, h) + tensors[f"{layer}.bias"].astype(np.int64)


def taps(weight: NDArray[Number], dilation: int, h: NDArray[Number]) -> NDArray[Number]:
    """Σ_k weight[:, k] · h of (K − 1 − k) · dilation frames ago: [H, K] and [n, H] to [n, H], tap 0 the oldest."""
    last = weight.shape[1] - 1
    return reduce(add, (tap * delayed(h, (last - k) * dilation) for k, tap in enumerate(weight.T)))


def delayed(frames: NDArray[Number], by: int) -> NDArray[Number]:
    """`frames` [n, …] of `by` frames ago, zero before the start."""
    return np.concatenate([np.zeros_like(frames[:by]), frames])[: len(frames)]


def accumulate(tensors: Tensors, layer: str, x: Integers) -> Integers:
    """Σ weight · x + bias for every frame and row: int64 [n, rows] of values that fit int32.

    The product runs in float64, for the sake of BLAS, and is exact: `bundle.check` proves that every partial sum,
    in any order, stays below 2³¹, far below the 2⁵³ up to which float64 holds every integer.
    """
    weight = tensors[f"{layer}.weight"].astype(np.float64)
    products = (x.astype(np.float64) @ weight.T).astype(np.int64)
    bias = tensors.get(f"{layer}.bias")
    return products if bias is None else products + bias.astype(np.int64)


def requantize(tensors: Tensors, layer: str, accumulator: Integers) -> Integers:
    return rmul(accumulator, tensors[f"{layer}.multiplier"].astype(np.int64))


def _keep(trace: Trace | None, name: str, values: NDArray[np.generic], dtype: str) -> None:
    if trace is not None:
        trace[name] = values.astype(dtype)
