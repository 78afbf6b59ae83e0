# SPDX-License-Identifier: Apache-2.0
"""Causal Conv-FSENet with Dynamic Channel Pruning (arXiv 2602.10666 section 2, backbone arXiv 2412.17121).

Shapes: B batch, T frames, C residual channels, H conv channels, N gated channels per block. Features are |X|^0.3.

One code path serves training, offline and streaming use: `forward` takes the state that the previous call returned
and a chunk of any number of frames. The zero state equals left zero padding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config import BINS, NetworkConfig
from dyncp.train.network.pooling import EmaPooling, WindowPooling

SURROGATE_SLOPE = 2.0


class Heaviside(torch.autograd.Function):
    """1 where the score is positive and, with `kept`, where that is true too.

    Backward: SuperSpike's surrogate 1 / (1 + slope·|score|)², also where `kept` is false: what a cap leaves out may
    learn to be chosen.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, score: Tensor, kept: Tensor | None = None) -> Tensor:
        ctx.save_for_backward(score)
        active = score > 0
        return (active if kept is None else active & kept).to(score.dtype)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        (score,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradients[0] / (1 + SURROGATE_SLOPE * score.abs()) ** 2, None


def among_highest(score: Tensor, limit: Tensor) -> Tensor:
    """Whether each of the scores [B, N, T] is among its frame's `limit` [B, T] highest; lower channels win ties."""
    order = score.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(score.shape[1], device=score.device)[:, None].expand_as(order)
    return torch.empty_like(order).scatter_(1, order, places) < limit[:, None]


class Gate(nn.Module):
    """Decides from the pooled residual which of N channels are computed: C → G → N, Heaviside."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        pooling = WindowPooling if config.pooling == "window" else EmaPooling
        self.pool = pooling(config.channels, config.pooling_frames)
        self.reduce = nn.Conv1d(config.channels, config.gate, 1)
        self.score = nn.Conv1d(config.gate, config.gated, 1)
        # Gates start mostly open: a channel that never runs gets no gradient through its filter.
        assert self.score.bias is not None
        nn.init.constant_(self.score.bias, 0.5)

    def forward(self, residual: Tensor, state: Tensor, limit: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """residual [B, C, T] → mask [B, N, T] of 0 and 1, raw scores [B, N, T], next state.

        Of each frame's channels at most `limit` [B, T] are active.
        """
        reduced, state = self._pool_while_training(residual, state) if self.training else self._pool(residual, state)
        score = self.score(F.relu(reduced))
        kept = None if limit is None else among_highest(self._ranked(score), limit)
        mask: Tensor = Heaviside.apply(score, kept)  # type: ignore[no-untyped-call]
        return mask, score, state

    @torch.no_grad()
    def _ranked(self, score: Tensor) -> Tensor:
        """Scores in units of their row's largest weight, as the device's integers have them."""
        largest = self.score.weight.abs().amax(dim=1)
        return score / torch.where(largest > 0, largest, largest.max().clamp(min=torch.finfo(torch.float32).tiny))

    def _pool(self, residual: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        pooled, state = self.pool(residual, state)
        return self.reduce(pooled), state

    def _pool_while_training(self, residual: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The same sums in another order: over clips of many frames it costs less to pool the few reduced channels."""
        # A product, since a convolution refuses the empty state of a window of one frame.
        reduced, past = (self.reduce.weight[..., 0] @ x for x in (residual, state))
        assert self.reduce.bias is not None
        return self.pool(reduced, past)[0] + self.reduce.bias[:, None], self.pool.advance(residual, state)


class DepthwiseConv(nn.Conv1d):
    """Depthwise, dilated, k = 3, on input that is padded already: [B, H, T + 2·dilation] → [B, H, T]."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__(channels, channels, 3, dilation=dilation, groups=channels, bias=False)

    def forward(self, padded: Tensor) -> Tensor:
        """While training a dilated one is the sum of three shifted products: torch's backward takes thrice as long."""
        d, frames = self.dilation[0], padded.shape[-1] - 2 * self.dilation[0]
        if d == 1 or not self.training:
            return super().forward(padded)
        taps = self.weight.unbind(-1)
        early, middle, late = (padded[..., k * d : k * d + frames] * tap for k, tap in enumerate(taps))
        return early + middle + late


@dataclass
class BlockState:
    history: Tensor  # [B, H, 2·dilation], depthwise input of the last frames
    pool: Tensor


class Block(nn.Module):
    """1×1 C→H, BN, ReLU → depthwise dilated k = 3, BN, ReLU → 1×1 H→C, gated, added to the residual."""

    def __init__(self, config: NetworkConfig, dilation: int) -> None:
        super().__init__()
        c, h = config.channels, config.hidden
        self.gate_site = config.gate_site
        self.dilation = dilation
        self.gate = Gate(config) if config.gated else None
        self.expand = nn.Conv1d(c, h, 1, bias=False)
        self.expand_norm = nn.BatchNorm1d(h)
        self.depthwise = DepthwiseConv(h, dilation)
        self.depthwise_norm = nn.BatchNorm1d(h)
        self.project = nn.Conv1d(h, c, 1, bias=False)

    def initial_state(self, residual: Tensor) -> BlockState:
        history = residual.new_zeros(residual.shape[0], self.expand.out_channels, 2 * self.dilation)
        nothing = residual.new_zeros(residual.shape[0], 0, 0)
        return BlockState(history, self.gate.pool.initial_state(residual) if self.gate else nothing)

    def forward(
        self, residual: Tensor, state: BlockState, limit: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, BlockState]:
        """residual [B, C, T] → residual [B, C, T], mask [B, N, T], scores [B, N, T], next state.

        Of each frame's channels at most `limit` [B, T] are active.
        """
        if self.gate:
            mask, score, pool_state = self.gate(residual, state.pool, limit)
        else:
            mask = score = residual.new_zeros(residual.shape[0], 0, residual.shape[-1])
            pool_state = state.pool
        hidden = F.relu(self.expand_norm(self.expand(residual)))
        if self.gate_site == "hidden":
            hidden = hidden * mask
        padded = torch.cat([state.history, hidden], dim=-1)
        out = F.relu(self.depthwise_norm(self.depthwise(padded)))
        update = self.project(out * mask if self.gate_site == "hidden" else out)
        if self.gate_site == "output":
            update = update * mask
        history = padded[..., padded.shape[-1] - 2 * self.dilation :]
        return residual + update, mask, score, BlockState(history, pool_state)


@dataclass
class Output:
    suppression: Tensor  # [B, 257, T], real mask in (0, 1)
    masks: Tensor  # [B, blocks, N, T], 0 or 1; N = 0 in a static network
    scores: Tensor  # [B, blocks, N, T], raw gate scores
    state: list[BlockState]

    @property
    def utilization(self) -> Tensor:
        """Mean share of active gated channels per block, [blocks]; NaN without gates."""
        return self.masks.mean(dim=(0, 2, 3))


class Enhancer(nn.Module):
    """The whole network: |X|^0.3 in, suppression mask out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.front = nn.Conv1d(BINS, config.channels, 1)
        self.blocks = nn.ModuleList(Block(config, dilation) for dilation in config.block_dilations)
        self.back = nn.Conv1d(config.channels, BINS, 1)

    def initial_state(self, batch: int) -> list[BlockState]:
        residual = self.front.weight.new_zeros(batch, self.config.channels, 0)
        return [block.initial_state(residual) for block in self.blocks]  # type: ignore[operator]

    def _budget(self, residual: Tensor) -> Tensor:
        """Channels that each frame of residual [B, C, T] may compute: [B, T] in float32, as bfloat16 counts to 256."""
        shape = residual.shape[0], residual.shape[2]
        return residual.new_full(shape, self.config.frame_limit, dtype=torch.float32)

    def forward(self, features: Tensor, state: list[BlockState] | None = None) -> Output:
        """features [B, 257, T] → Output. `state` is the previous chunk's `Output.state`; None starts a stream."""
        state = self.initial_state(features.shape[0]) if state is None else state
        residual = F.relu(self.front(features))
        masks, scores, next_state = [], [], []
        left = self._budget(residual) if self.config.capped else None
        for block, block_state in zip(self.blocks, state, strict=True):
            limit = None if left is None else left.clamp(max=self.config.block_limit)
            residual, mask, score, block_state = block(residual, block_state, limit)
            left = None if left is None else left - mask.detach().sum(1, dtype=torch.float32)
            masks.append(mask)
            scores.append(score)
            next_state.append(block_state)
        suppression = torch.sigmoid(self.back(residual))
        return Output(suppression, torch.stack(masks, 1), torch.stack(scores, 1), next_state)
