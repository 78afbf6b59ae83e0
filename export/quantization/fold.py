# SPDX-License-Identifier: Apache-2.0
"""The trained network in float64 NumPy, batch norm folded into the convolutions: the float side of quantization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import QuantizationError
from dyncp.export.integers.caps import Caps, Limit, highest
from dyncp.export.integers.holding import decisions, held
from dyncp.export.integers.reference import delayed, taps

if TYPE_CHECKING:
    from dyncp.train.network.checkpoint import Checkpoint
    from dyncp.train.network.enhancer import Enhancer

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """weight [rows, columns] (depthwise: [H, K], tap 0 the oldest), bias [rows]."""

    weight: Array
    bias: Array

    def __call__(self, x: Array) -> Array:
        """x [n, columns] → [n, rows]."""
        product: Array = x @ self.weight.T
        return product + self.bias


@dataclass(frozen=True)
class Decision:
    """What a group's gate makes, [d, …], in the frames of its decisions; `reduce` before its ReLU."""

    reduce: Array
    score: Array
    """[d, M · N], block by block."""
    active: NDArray[np.bool_]
    """What holds in every frame, [n, M, N]."""


@dataclass(frozen=True)
class BlockActivations:
    """Everything inside a block, [n, …]; `expand` and `depthwise` before their ReLU."""

    expand: Array
    depthwise: Array
    residual: Array
    """The residual stream after the block."""


@dataclass(frozen=True)
class FoldedNetwork:
    """Layers by the names of docs/bundle.md. `source` is the sha256 of the checkpoint's network."""

    config: NetworkConfig
    layers: dict[str, Layer]
    source: str

    def front(self, features: Array) -> Array:
        return relu(self.layers["front"](features))

    def decide(self, i: int, residual: Array, limit: Limit) -> Decision:
        """The gate of block i, the first of its group, on the residual stream [n, C], from the initial state.

        At most `limit` gates open in each block of the group.
        """
        config, frames = self.config, len(residual)
        when = decisions(config, config.group(i), frames)
        after = config.pools_values
        reduce = self.layers[f"blocks.{i}.gate.reduce"](residual[when] if after else self._pool(residual[when]))
        score = self.layers[f"blocks.{i}.gate.score"](self._pool(relu(reduce)) if after else relu(reduce))
        ranked = self._ranked(i, score).reshape(len(score), config.blocks_per_gate, config.gated)
        limits = np.broadcast_to(limit, frames)[when]
        opened = np.stack([highest(ranked[:, m], limits) for m in range(config.blocks_per_gate)], axis=1)
        return Decision(reduce, score, held(opened, when, frames))

    def block(self, i: int, residual: Array, active: NDArray[np.bool_]) -> BlockActivations:
        """Block i on the residual stream [n, C] with the gates [n, N], from the initial state."""
        layers, hidden_gates = self.layers, self.config.gate_site == "hidden"
        expand = layers[f"blocks.{i}.expand"](residual)
        h = relu(expand) * active if hidden_gates else relu(expand)
        convolution = layers[f"blocks.{i}.depthwise"]
        depthwise = taps(convolution.weight, self.config.block_dilations[i], h) + convolution.bias
        out = relu(depthwise) * active if hidden_gates else relu(depthwise)
        update = layers[f"blocks.{i}.project"](out)
        residual = residual + (update * active if self.config.gate_site == "output" else update)
        return BlockActivations(expand, depthwise, residual)

    def back(self, residual: Array) -> Array:
        """Residual stream [n, C] to logits [n, F]."""
        return self.layers["back"](residual)

    def forward(
        self, features: Array, caps: Caps | None = None, gates: NDArray[np.bool_] | None = None
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Features [n, F] to the suppression mask [n, 257] and the gates, bool [n, blocks, N]: `gates` where given."""
        config, residual = self.config, self.front(features)
        active = np.zeros((len(features), config.blocks, config.gated), np.bool_) if gates is None else gates
        caps = caps or Caps.of(config)
        for i in range(config.blocks):
            if gates is None and config.has_gate(i):
                decision = self.decide(i, residual, caps.limit(active[:, :i].sum(axis=(1, 2))))
                active[:, i : i + config.blocks_per_gate] = decision.active
            residual = self.block(i, residual, active[:, i]).residual
        mask = 1 / (1 + np.exp(-self.back(residual)))
        return (mask if config.bands is None else np.repeat(mask, np.diff(config.bands), axis=1)), active

    def _ranked(self, i: int, score: Array) -> Array:
        """Scores in units of their row's largest weight, as the integers have them."""
        largest = np.abs(self.layers[f"blocks.{i}.gate.score"].weight).max(axis=1)
        return score / np.where(largest > 0, largest, largest.max() or 1.0)

    def _pool(self, x: Array) -> Array:
        config, longest = self.config, self.config.pooled_frames
        if config.pooling == "window":
            total = np.cumsum(x, axis=0)
            return (total - delayed(total, longest)) / longest
        frames = np.array(config.pole_frames)
        average, previous = np.zeros_like(x), np.zeros(x.shape[1])
        for n, frame in enumerate(x):
            previous = average[n] = previous + (frame - previous) * 2 / (frames + 1)
        return average


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def fold(checkpoint: Checkpoint) -> FoldedNetwork:
    """Fold a checkpoint. Raises QuantizationError, naming the tensor, for weights that are NaN, infinite or
    misshapen, or a batch norm whose variance is negative."""
    return fold_network(checkpoint.network, checkpoint.sha256)


def fold_network(network: Enhancer, source: str) -> FoldedNetwork:
    """As `fold`, for a network at hand."""
    config = network.config
    c, h, g, n = config.channels, config.hidden, config.gate, config.gated
    state = {name: tensor.detach().cpu().double().numpy() for name, tensor in network.state_dict().items()}
    for name, values in state.items():
        if not np.all(np.isfinite(values)):
            raise QuantizationError(f"checkpoint: {name} holds values that are not finite; train again")
    f = config.spectrum
    layers = {"front": _convolution(state, "front", c, f), "back": _convolution(state, "back", f, c)}
    for i in range(config.blocks):
        block = f"blocks.{i}"
        if config.has_gate(i):
            scored = config.blocks_per_gate * n
            layers[f"{block}.gate.reduce"] = _convolution(state, f"{block}.gate.reduce", g, c)
            layers[f"{block}.gate.score"] = _convolution(state, f"{block}.gate.score", scored, g)
        for name, columns in (("expand", c), ("depthwise", config.kernel)):
            layer = _convolution(state, f"{block}.{name}", h, columns)
            epsilon = getattr(network.blocks[i], f"{name}_norm").eps
            layers[f"{block}.{name}"] = _fold_norm(layer, state, f"{block}.{name}_norm", epsilon)
        layers[f"{block}.project"] = _convolution(state, f"{block}.project", c, h)
    return FoldedNetwork(config, layers, source)


def _convolution(state: dict[str, Array], name: str, rows: int, columns: int) -> Layer:
    """A convolution's weights as a matrix: pointwise [rows, columns, 1] or depthwise [rows, 1, K]."""
    weight = _tensor(state, f"{name}.weight", rows * columns)
    if weight.shape not in {(rows, columns, 1), (rows, 1, columns)}:
        raise QuantizationError(f"checkpoint: {name}.weight is {list(weight.shape)}, not {rows} × {columns}")
    bias = _tensor(state, f"{name}.bias", rows) if f"{name}.bias" in state else np.zeros(rows)
    return Layer(weight.reshape(rows, columns), bias)


def _fold_norm(layer: Layer, state: dict[str, Array], name: str, epsilon: float) -> Layer:
    """γ · (w·x − μ) / √(σ² + ε) + β, as one affine map."""
    gain, shift, mean, variance = (
        _tensor(state, f"{name}.{part}", len(layer.bias)) for part in ("weight", "bias", "running_mean", "running_var")
    )
    if np.any(variance < 0):
        raise QuantizationError(f"checkpoint: {name}.running_var is negative; train again")
    factor = gain / np.sqrt(variance + epsilon)
    return Layer(layer.weight * factor[:, None], (layer.bias - mean) * factor + shift)


def _tensor(state: dict[str, Array], name: str, size: int) -> Array:
    if name not in state or state[name].size != size:
        found = list(state[name].shape) if name in state else "missing"
        raise QuantizationError(f"checkpoint: {name} is {found}, expected {size} values; check config.toml")
    return state[name]
