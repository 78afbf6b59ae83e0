# SPDX-License-Identifier: Apache-2.0
"""Gates: which channels of the blocks of a group are computed (arXiv 2602.10666 section 2), and what training holds
true of them. Shapes as in train/network/enhancer.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config.network import NetworkConfig
from dyncp.train.network.holding import GateState, first_decision, held
from dyncp.train.network.pooling import EmaPooling, WindowPooling

SURROGATE_SLOPE = 2.0
# What the first and the last channel of nested widths begin apart, each way.
SPREAD = 0.4


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


@dataclass
class Decision:
    """A gate's, for the blocks of its group: [B, M, N, T]."""

    mask: Tensor  # 0 or 1
    score: Tensor  # raw
    told: Tensor  # the mask to read signals from: while training, its gradient reaches the residual whole
    values: Tensor  # what scores are made of, in the frames of decisions alone: [B, G, D]


class Gate(nn.Module):
    """Decides from the pooled residual which channels of a group of blocks are computed: C → G → M·N, Heaviside.

    Rows of the scores are in the order of blocks, then channels. With pooling `gate` the G values are averaged, each
    over frames of its own, instead of the residual: what is new and what lasts can then be told apart.
    """

    def __init__(self, config: NetworkConfig, group: int = 0) -> None:
        super().__init__()
        self.group, self.period, self.blocks = group, config.gate_period, config.blocks_per_gate
        self.gradient = 1.0
        """Share of the mask's gradient that goes on to the residual: below 1 its work is left to what enhances."""
        self.averages_values = config.pools_values
        self.pool = self._pooling(config)
        self.reduce = nn.Conv1d(config.channels, config.gate, 1)
        self.score = nn.Conv1d(config.gate, self.blocks * config.gated, 1)
        # Gates start mostly open: a channel that never runs gets no gradient through its filter.
        assert self.score.bias is not None
        nn.init.constant_(self.score.bias, 0.5)

    @staticmethod
    def _pooling(config: NetworkConfig) -> WindowPooling | EmaPooling:
        if config.pooling == "window":
            return WindowPooling(config.channels, config.pooled_frames)
        return EmaPooling(config.pooled_channels, config.pole_frames)

    def initial_state(self, residual: Tensor) -> GateState:
        return GateState(self.pool.initial_state(residual))

    def forward(self, residual: Tensor, state: GateState, limit: Tensor | None = None) -> tuple[Decision, GateState]:
        """residual [B, C, T] before the group's first block → decision that holds in each frame, next state.

        Of each block's channels at most `limit` [B, T] are active, as it is in the frame of the decision.
        """
        first, frames = first_decision(self.group, state.frame, self.period), residual.shape[-1]
        decided, pool, score = residual[..., first :: self.period], state.pool, self._nothing(residual)
        mask = told = score
        values = residual.new_zeros(residual.shape[0], self.score.in_channels, 0)
        if decided.shape[-1]:
            at = None if limit is None else limit[:, first :: self.period]
            mask, score, values, pool = self._decide(self.damped(decided), pool, at)
            told = self._decide(decided, state.pool, at)[0] if self.training and self.gradient < 1 else mask
        before = (state.mask, state.score, state.mask)
        mask, score, told = (
            held(now, last, first, self.period, frames) for now, last in zip((mask, score, told), before, strict=True)
        )
        after = (hold[..., -1:] for hold in (mask, score)) if self.period > 1 else (None, None)
        return Decision(mask, score, told, values), GateState(pool, (state.frame + frames) % self.period, *after)

    @torch.no_grad()
    def keep_open(self, channels: Sequence[int]) -> None:
        """Of each of its blocks, the first so many channels are active whatever is heard: a score of 1, no weights."""
        assert self.score.bias is not None
        weight, bias = (
            self.score.weight.view(self.blocks, -1, self.score.in_channels),
            self.score.bias.view(self.blocks, -1),
        )
        for place, count in enumerate(channels):
            weight[place, :count] = 0
            bias[place, :count] = 1

    @torch.no_grad()
    def nest(self, kept: Sequence[int]) -> None:
        """Scores of all channels but the first `kept` of each block differ by constants alone: widths that are nested.

        One value then says how many channels of the group are active.
        """
        free = torch.cat([torch.arange(self.score.out_channels // self.blocks) >= count for count in kept])
        self.score.weight[free] = self.score.weight[free].mean(0, keepdim=True)

    @torch.no_grad()
    def spread(self) -> None:
        """Let scores begin in the order of a block's channels, the first of which then close last."""
        assert self.score.bias is not None
        by_block = self.score.bias.view(self.blocks, -1)
        by_block += torch.linspace(SPREAD, -SPREAD, by_block.shape[1], device=by_block.device)

    def damped(self, residual: Tensor) -> Tensor:
        """The same values, with `gradient` of their gradient."""
        if self.gradient == 1:
            return residual
        return residual.detach() + self.gradient * (residual - residual.detach())

    def _decide(self, residual: Tensor, pool: Tensor, limit: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """residual [B, C, D] in frames of decisions alone → mask, scores [B, M, N, D], values [B, G, D], next pool."""
        values, pool = self._values(residual, pool)
        score = self.score(values)
        by_block = score.shape[0], self.blocks, -1, score.shape[2]
        kept = None
        if limit is not None:
            ranked = self._ranked(score).view(by_block).flatten(0, 1)
            kept = among_highest(ranked, limit.repeat_interleave(self.blocks, 0)).view_as(score)
        mask: Tensor = Heaviside.apply(score, kept)  # type: ignore[no-untyped-call]
        return mask.view(by_block), score.view(by_block), values, pool

    def _nothing(self, residual: Tensor) -> Tensor:
        """No decision: [B, M, N, 0]."""
        return residual.new_zeros(residual.shape[0], self.blocks, self.score.out_channels // self.blocks, 0)

    @torch.no_grad()
    def _ranked(self, score: Tensor) -> Tensor:
        """Scores in units of their row's largest weight, as the device's integers have them."""
        largest = self.score.weight.abs().amax(dim=1)
        return score / torch.where(largest > 0, largest, largest.max().clamp(min=torch.finfo(torch.float32).tiny))

    def _values(self, residual: Tensor, pool: Tensor) -> tuple[Tensor, Tensor]:
        """residual [B, C, D] → what scores are made of, [B, G, D], next pool."""
        if self.averages_values:
            values, pool = self.pool(F.relu(self.reduce(residual)), pool)
            return values, pool
        reduced, pool = self._pool_while_training(residual, pool) if self.training else self._pool(residual, pool)
        return F.relu(reduced), pool

    def _pool(self, residual: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        pooled, state = self.pool(residual, state)
        return self.reduce(pooled), state

    def _pool_while_training(self, residual: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The same sums in another order: over clips of many frames it costs less to pool the few reduced channels."""
        # A product, since a convolution refuses the empty state of a window of one frame.
        reduced, past = (self.reduce.weight[..., 0] @ x for x in (residual, state))
        assert self.reduce.bias is not None
        return self.pool(reduced, past)[0] + self.reduce.bias[:, None], self.pool.advance(residual, state)
