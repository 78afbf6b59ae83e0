# SPDX-License-Identifier: Apache-2.0
"""The network of docs/arithmetic.md in torch: forward, the device's integers; backward, the gradient of real numbers.

Every tensor is in the integers' units and holds integers exactly, as float32 where no sum can reach 2^24, else as
float64. Rounding and saturation pass the gradient straight through, saturation only where it does not bind, so that
`quantize_trained` of the trained weights is, integer by integer, the network that was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.export.formats.bundle import LOGIT_SCALE
from dyncp.export.formats.layout import largest_inputs
from dyncp.export.quantization.fold import fold_network
from dyncp.export.quantization.rounding import Rounded, round_network
from dyncp.export.transforms import frontend
from dyncp.train.network.enhancer import Block, Enhancer
from dyncp.train.network.gate import Gate, Heaviside, among_highest
from dyncp.train.network.holding import first_decision, held
from dyncp.train.network.stft import over_bins

# Up to here float32 holds every integer.
EXACT = 2**24


class Requantize(torch.autograd.Function):
    """rmul of section 1 and saturation: integers [B, rows, T], multipliers int64 [rows, 1] → integers."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, sums: Tensor, multiplier: Tensor, low: int, high: int
    ) -> Tensor:
        exact = (sums.to(torch.int64) * multiplier + 2**30) >> 31
        ctx.save_for_backward(multiplier, (exact >= low) & (exact <= high))
        return exact.clamp(low, high).float()

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        multiplier, inside = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradients[0] * inside * (multiplier / 2**31).float(), None, None, None


class Straight(torch.autograd.Function):
    """`values` forward, the gradient of `smooth` backward: smooth + (values − smooth) would round."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, smooth: Tensor, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class IntegerNetwork(nn.Module):
    """Integer features [B, F, T] of bins or bands → suppression mask in units of 2^-15 [B, bins, T] / 2^15, and of the
    gates [B, blocks, N, T] masks and masks for read-outs, and of each its values.

    Batch norm stays as it was trained; what is learned are the weights and its gain and shift. The scales stay too.
    """

    def __init__(self, network: Enhancer, scales: dict[str, float]) -> None:
        super().__init__()
        self.network, self.scales = network, scales
        self.config = network.config
        self.largest = largest_inputs(network.config)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        # Also where training asks for bfloat16, which holds no integer beyond 256.
        with torch.autocast(features.device.type, enabled=False):
            return self._exact(features)

    def _exact(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        config, rounded = self.config, round_network(fold_network(self.network, ""), self.scales)
        residual = self._requantize(rounded, "front", self._pointwise(rounded, "front", features), 0, 32767)
        nothing = residual.new_zeros(residual.shape[0], 1, 0, residual.shape[2])
        mask = told = nothing
        decided, values = [], []
        left = residual.new_full((residual.shape[0], residual.shape[2]), config.frame_limit)
        for i, block in enumerate(self.network.blocks):
            assert isinstance(block, Block)
            place = i % config.blocks_per_gate
            if block.gate is not None:
                limit = left.clamp(max=config.block_limit)
                mask, told, of_gate = self._decide(rounded, i, block.gate, residual, limit)
                values.append(of_gate)
            residual = self._block(rounded, i, block, residual, mask[:, place])
            left = left - mask[:, place].detach().sum(1)
            decided.append((mask[:, place], told[:, place]))
        x = self._requantize(rounded, "back.input", residual, -128, 127)
        logits = self._requantize(rounded, "back", self._pointwise(rounded, "back", x), -32768, 32767)
        masks, told = (torch.stack(parts, 1) for parts in zip(*decided, strict=True))
        suppression = _suppression(logits)
        suppression = suppression if config.bands is None else over_bins(suppression, config.bands)
        return suppression, masks, told, values

    def _decide(
        self, rounded: Rounded, i: int, gate: Gate, residual: Tensor, limit: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The gate of section 6, of the group that begins with block i: masks, and masks for read-outs, [B, M, N, T],
        held between decisions; the values in the frames of decisions, [B, G, D], real numbers."""
        period, frames = self.config.gate_period, residual.shape[-1]
        first = first_decision(gate.group, 0, period)
        when = slice(first, None, period)
        x = residual[..., when]
        if not self.config.pools_values:
            x = self._requantize(rounded, f"blocks.{i}.input", x, -128, 127)
        mask, values = self._gate(rounded, f"blocks.{i}", gate, gate.damped(x), limit[:, when])
        told = mask
        if self.training and gate.gradient < 1:
            told, _ = self._gate(rounded, f"blocks.{i}", gate, x, limit[:, when])
        return held(mask, None, first, period, frames), held(told, None, first, period, frames), values

    def _gate(self, rounded: Rounded, name: str, gate: Gate, x: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
        """In frames of decisions: masks [B, M, N, D], and what scores are made of, [B, G, D], real numbers."""
        after = self.config.pools_values
        read = x if after else self._pool(rounded, name, gate, x)
        sums = self._pointwise(rounded, f"{name}.gate.reduce", read)
        values = self._requantize(rounded, f"{name}.gate.reduce", sums, 0, 32767)
        if after:
            values = self._pool(rounded, name, gate, values)
        score = self._pointwise(rounded, f"{name}.gate.score", values)
        by_block = score.shape[0], gate.blocks, -1, score.shape[2]
        kept = None
        if self.config.capped:
            ranked = score.detach().view(by_block).flatten(0, 1)
            kept = among_highest(ranked, limit.repeat_interleave(gate.blocks, 0)).view_as(score)
        unit = torch.from_numpy(rounded.units[f"{name}.gate.score"]).to(score.device)[:, None]
        mask: Tensor = Heaviside.apply((score * unit).float(), kept)  # type: ignore[no-untyped-call]
        return mask.view(by_block), (values * self.scales[f"{name}.gate"]).float()

    def _block(self, rounded: Rounded, i: int, block: Block, residual: Tensor, mask: Tensor) -> Tensor:
        """Section 6, steps 4 to 6: the residual stream [B, C, T] to the one after block i, with the gates [B, N, T]."""
        name, site = f"blocks.{i}", self.config.gate_site
        x = self._requantize(rounded, f"{name}.input", residual, -128, 127)
        h = self._requantize(rounded, f"{name}.expand", self._pointwise(rounded, f"{name}.expand", x), 0, 127)
        h = h * mask if site == "hidden" else h
        weight, bias = self._integers(rounded, f"{name}.depthwise")
        padded, frames, d = F.pad(h, (block.past, 0)), h.shape[-1], self.config.block_dilations[i]
        taps = (padded[..., k * d : k * d + frames] * weight[:, k, None] for k in range(self.config.kernel))
        h = self._requantize(rounded, f"{name}.depthwise", sum(taps) + bias, 0, 127)
        h = h * mask if site == "hidden" else h
        sums = self._pointwise(rounded, f"{name}.project", h)
        update = self._requantize(rounded, f"{name}.project", sums, -(2**31), 2**31)
        residual = residual + (update * mask if site == "output" else update)
        return residual.clamp(-32768, 32767)

    def _pool(self, rounded: Rounded, name: str, gate: Gate, x: Tensor) -> Tensor:
        frames = self.config.pooled_frames
        if self.config.pooling == "window":
            # Sums of at most 256 · 128 whatever the clip's length up to 2^17 frames: exact in float32.
            total = x.cumsum(-1)
            return total - F.pad(total, (frames, 0))[..., : x.shape[-1]]
        wide = x if self.config.pools_values else 256 * x
        smooth, _ = gate.pool(wide, gate.pool.initial_state(x))
        return _straight(smooth, _one_pole(wide.detach(), rounded.tensors[f"{name}.pool.coefficient"]))

    def _pointwise(self, rounded: Rounded, name: str, x: Tensor) -> Tensor:
        """Accumulators of a 1×1 layer: integers [B, columns, T] → [B, rows, T], exact."""
        weight, bias = self._integers(rounded, name)
        reach = np.abs(rounded.tensors[f"{name}.weight"].astype(np.int64)).sum(axis=1) * self.largest[name]
        if f"{name}.bias" in rounded.tensors:
            reach += np.abs(rounded.tensors[f"{name}.bias"].astype(np.int64))
        dtype = torch.float32 if reach.max() < EXACT else torch.float64
        return weight.to(dtype) @ x.to(dtype) + bias.to(dtype)

    def _integers(self, rounded: Rounded, name: str) -> tuple[Tensor, Tensor]:
        """Weight [rows, columns] and bias [rows, 1] of a layer: rounded values, with the gradient of the weights."""
        weight, bias = _folded(self.network, name)
        rows, units = (torch.from_numpy(part[name]).to(weight) for part in (rounded.rows, rounded.units))
        integers = _straight(weight / rows[:, None], rounded.tensors[f"{name}.weight"])
        if bias is None:
            return integers, integers.new_zeros(())
        return integers, _straight(bias.double() / units.double(), rounded.tensors[f"{name}.bias"])[:, None]

    def _requantize(self, rounded: Rounded, name: str, sums: Tensor, low: int, high: int) -> Tensor:
        multiplier = torch.from_numpy(rounded.tensors[f"{name}.multiplier"].astype(np.int64))[:, None]
        result: Tensor = Requantize.apply(sums, multiplier.to(sums.device), low, high)  # type: ignore[no-untyped-call]
        return result


def integer_features(
    pcm: NDArray[np.int16],
    thresholds: NDArray[np.integer[Any]],
    framing: Framing = STANDARD,
    bands: Sequence[int] | None = None,
) -> NDArray[np.float32]:
    """Clips [B, T · hop] to the device's features [B, F, T] of bins or `bands`, integers 0 to 127 (sections 3 to 5)."""
    clips, hop = len(pcm), framing.hop
    # Silence as long as a frame's past parts the clips, as each starts from a silent history.
    silence = -(-(framing.analysis - hop) // hop)
    framed = np.pad(pcm.reshape(clips, -1, hop), ((0, 0), (0, silence), (0, 0)))
    x = frontend.features(frontend.analysis(framed.reshape(-1, hop), framing), thresholds, bands)
    return x.reshape(*framed.shape[:2], -1)[:, :-silence].transpose(0, 2, 1).astype(np.float32)


def _folded(network: Enhancer, name: str) -> tuple[Tensor, Tensor | None]:
    """Weight [rows, columns] and bias [rows] with batch norm folded in as `fold` does it, differentiable."""
    layer = network.get_submodule(name)
    weight = layer.weight.flatten(1)  # type: ignore[operator]
    if not name.endswith((".expand", ".depthwise")):
        return weight, layer.bias  # type: ignore[return-value]
    norm = network.get_submodule(f"{name}_norm")
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    return weight * factor[:, None], norm.bias - norm.running_mean * factor


def _straight(smooth: Tensor, integers: NDArray[np.integer[Any]] | Tensor) -> Tensor:
    """The integers, exactly, with the gradient of `smooth`."""
    result: Tensor = Straight.apply(smooth, torch.as_tensor(integers).to(smooth))  # type: ignore[no-untyped-call]
    return result


def _one_pole(x: Tensor, coefficient: NDArray[np.generic]) -> Tensor:
    """Section 6, one-pole averages, frame by frame: integers [B, C, T], coefficients [1 or C]."""
    values, factor = x.to(torch.int64), torch.from_numpy(coefficient.astype(np.int64)).to(x.device)
    average, frames = torch.zeros_like(values[..., 0]), []
    for frame in values.unbind(-1):
        average = average + (((frame - average) * factor + 2**30) >> 31)
        frames.append(average)
    return torch.stack(frames, -1) if frames else values


def _suppression(logits: Tensor) -> Tensor:
    """Section 6, the sigmoid's table in Q15, over 2^15; the gradient is the sigmoid's."""
    exact = frontend.suppression(logits.detach().cpu().numpy().astype(np.int64))
    return _straight(torch.sigmoid(logits * LOGIT_SCALE) * 32767, torch.from_numpy(exact)) / 32768
