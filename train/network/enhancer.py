# SPDX-License-Identifier: Apache-2.0
"""Causal Conv-FSENet with Dynamic Channel Pruning (arXiv 2602.10666 section 2, backbone arXiv 2412.17121).

Shapes: B batch, T frames, C residual channels, H conv channels, N gated channels per block, M blocks per gate, F bins
or bands. Features are |X|^0.3, of a band the mean power of its bins to the 0.15 (train/network/stft.py).

One code path serves training, offline and streaming use: `forward` takes the state that the previous call returned
and a chunk of any number of frames. The zero state equals left zero padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config.network import NetworkConfig
from dyncp.train.network.holding import GateState, first_decision, held
from dyncp.train.network.pooling import EmaPooling, WindowPooling
from dyncp.train.network.stft import over_bins

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


@dataclass
class Decision:
    """A gate's, for the blocks of its group: [B, M, N, T]."""

    mask: Tensor  # 0 or 1
    score: Tensor  # raw
    told: Tensor  # the mask to read signals from: while training, its gradient reaches the residual whole


class Gate(nn.Module):
    """Decides from the pooled residual which channels of a group of blocks are computed: C → G → M·N, Heaviside.

    Rows of the scores are in the order of blocks, then channels.
    """

    def __init__(self, config: NetworkConfig, group: int = 0) -> None:
        super().__init__()
        pooling = WindowPooling if config.pooling == "window" else EmaPooling
        self.group, self.period, self.blocks = group, config.gate_period, config.blocks_per_gate
        self.gradient = 1.0
        """Share of the mask's gradient that goes on to the residual: below 1 its work is left to what enhances."""
        self.pool = pooling(config.channels, config.pooling_frames)
        self.reduce = nn.Conv1d(config.channels, config.gate, 1)
        self.score = nn.Conv1d(config.gate, self.blocks * config.gated, 1)
        # Gates start mostly open: a channel that never runs gets no gradient through its filter.
        assert self.score.bias is not None
        nn.init.constant_(self.score.bias, 0.5)

    def initial_state(self, residual: Tensor) -> GateState:
        return GateState(self.pool.initial_state(residual))

    def forward(self, residual: Tensor, state: GateState, limit: Tensor | None = None) -> tuple[Decision, GateState]:
        """residual [B, C, T] before the group's first block → decision that holds in each frame, next state.

        Of each block's channels at most `limit` [B, T] are active, as it is in the frame of the decision.
        """
        first, frames = first_decision(self.group, state.frame, self.period), residual.shape[-1]
        decided, pool, score = residual[..., first :: self.period], state.pool, self._nothing(residual)
        mask = told = score
        if decided.shape[-1]:
            at = None if limit is None else limit[:, first :: self.period]
            mask, score, pool = self._decide(self.damped(decided), pool, at)
            told = self._decide(decided, state.pool, at)[0] if self.training and self.gradient < 1 else mask
        before = (state.mask, state.score, state.mask)
        holds = [
            held(now, last, first, self.period, frames) for now, last in zip((mask, score, told), before, strict=True)
        ]
        after = (hold[..., -1:] for hold in holds[:2]) if self.period > 1 else (None, None)
        return Decision(*holds), GateState(pool, (state.frame + frames) % self.period, *after)

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

    def damped(self, residual: Tensor) -> Tensor:
        """The same values, with `gradient` of their gradient."""
        if self.gradient == 1:
            return residual
        return residual.detach() + self.gradient * (residual - residual.detach())

    def _decide(self, residual: Tensor, pool: Tensor, limit: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """residual [B, C, D] in frames of decisions alone → mask and scores [B, M, N, D], next pool."""
        reduced, pool = self._pool_while_training(residual, pool) if self.training else self._pool(residual, pool)
        score = self.score(F.relu(reduced))
        by_block = score.shape[0], self.blocks, -1, score.shape[2]
        kept = None
        if limit is not None:
            ranked = self._ranked(score).view(by_block).flatten(0, 1)
            kept = among_highest(ranked, limit.repeat_interleave(self.blocks, 0)).view_as(score)
        mask: Tensor = Heaviside.apply(score, kept)  # type: ignore[no-untyped-call]
        return mask.view(by_block), score.view(by_block), pool

    def _nothing(self, residual: Tensor) -> Tensor:
        """No decision: [B, M, N, 0]."""
        return residual.new_zeros(residual.shape[0], self.blocks, self.score.out_channels // self.blocks, 0)

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
    """Depthwise, dilated, of K taps, on input that is padded already: [B, H, T + (K − 1)·dilation] → [B, H, T]."""

    def __init__(self, channels: int, dilation: int, taps: int) -> None:
        super().__init__(channels, channels, taps, dilation=dilation, groups=channels, bias=False)

    def forward(self, padded: Tensor) -> Tensor:
        """While training a dilated one is the sum of its shifted products: torch's backward takes thrice as long."""
        d, frames = self.dilation[0], padded.shape[-1] - (self.kernel_size[0] - 1) * self.dilation[0]
        if d == 1 or not self.training:
            return super().forward(padded)
        taps = self.weight.unbind(-1)
        return reduce(add, (padded[..., k * d : k * d + frames] * tap for k, tap in enumerate(taps)))


@dataclass
class BlockState:
    history: Tensor  # [B, H, (K − 1)·dilation], depthwise input of the last frames
    gate: GateState | None  # None where another block's gate decides, and in a static network


class Block(nn.Module):
    """1×1 C→H, BN, ReLU → depthwise dilated of K taps, BN, ReLU → 1×1 H→C, gated, added to the residual.

    The first block of a group has the gate of its group.
    """

    def __init__(self, config: NetworkConfig, index: int = 0) -> None:
        super().__init__()
        c, h = config.channels, config.hidden
        group, place = divmod(index, config.blocks_per_gate)
        self.gate_site, self.gated = config.gate_site, config.gated
        self.past = config.block_pasts[index]
        self.gate = Gate(config, group) if config.gated and place == 0 else None
        self.expand = nn.Conv1d(c, h, 1, bias=False)
        self.expand_norm = nn.BatchNorm1d(h)
        self.depthwise = DepthwiseConv(h, config.block_dilations[index], config.kernel)
        self.depthwise_norm = nn.BatchNorm1d(h)
        self.project = nn.Conv1d(h, c, 1, bias=False)

    def initial_state(self, residual: Tensor) -> BlockState:
        history = residual.new_zeros(residual.shape[0], self.expand.out_channels, self.past)
        return BlockState(history, self.gate.initial_state(residual) if self.gate else None)

    def decide(
        self, residual: Tensor, state: BlockState, limit: Tensor | None = None
    ) -> tuple[Decision, GateState | None]:
        """residual [B, C, T] → decision for the group's blocks, next state; without a gate of no channel, and none."""
        if self.gate and state.gate:
            decision, gate_state = self.gate(residual, state.gate, limit)
            return decision, gate_state
        nothing = residual.new_zeros(residual.shape[0], 1, 0, residual.shape[-1])
        return Decision(nothing, nothing, nothing), None

    def forward(self, residual: Tensor, mask: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """residual [B, C, T], mask [B, N, T] → residual, next history. Where nothing is active the residual stays."""
        hidden = F.relu(self.expand_norm(self.expand(residual)))
        if self.gate_site == "hidden":
            hidden = hidden * mask
        padded = torch.cat([history, hidden], dim=-1)
        out = F.relu(self.depthwise_norm(self.depthwise(padded)))
        update = self.project(out * mask if self.gate_site == "hidden" else out)
        if self.gate_site == "output":
            update = update * mask
        return residual + update, padded[..., padded.shape[-1] - self.past :]


@dataclass
class Output:
    suppression: Tensor  # [B, 257, T], real mask in (0, 1)
    masks: Tensor  # [B, blocks, N, T], 0 or 1; N = 0 in a static network
    scores: Tensor  # [B, blocks, N, T], raw gate scores
    told: Tensor  # [B, blocks, N, T], the masks to read signals from (Decision)
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
        self.front = nn.Conv1d(config.spectrum, config.channels, 1)
        self.blocks = nn.ModuleList(Block(config, index) for index in range(config.blocks))
        self.back = nn.Conv1d(config.channels, config.spectrum, 1)

    def initial_state(self, batch: int) -> list[BlockState]:
        residual = self.front.weight.new_zeros(batch, self.config.channels, 0)
        return [block.initial_state(residual) for block in self.blocks]  # type: ignore[operator]

    def keep_open(self, channels: Sequence[int]) -> None:
        """Of each block, the first so many gated channels are never closed: they carry the past through a pause."""
        if not any(channels):
            return
        for gate in self.modules():
            if isinstance(gate, Gate):
                first = gate.group * gate.blocks
                gate.keep_open(channels[first : first + gate.blocks])

    def _budget(self, residual: Tensor) -> Tensor:
        """Channels that each frame of residual [B, C, T] may compute: [B, T] in float32, as bfloat16 counts to 256."""
        shape = residual.shape[0], residual.shape[2]
        return residual.new_full(shape, self.config.frame_limit, dtype=torch.float32)

    def forward(self, features: Tensor, state: list[BlockState] | None = None) -> Output:
        """features [B, F, T] → Output. `state` is the previous chunk's `Output.state`; None starts a stream."""
        state = self.initial_state(features.shape[0]) if state is None else state
        residual = F.relu(self.front(features))
        masks, scores, told, next_state = [], [], [], []
        left = self._budget(residual) if self.config.capped else None
        for i, (block, block_state) in enumerate(zip(self.blocks, state, strict=True)):
            place, gate_state = i % self.config.blocks_per_gate, None
            if place == 0:
                limit = None if left is None else left.clamp(max=self.config.block_limit)
                decision, gate_state = block.decide(residual, block_state, limit)  # type: ignore[operator]
            mask = decision.mask[:, place]
            residual, history = block(residual, mask, block_state.history)
            left = None if left is None else left - mask.detach().sum(1, dtype=torch.float32)
            masks.append(mask)
            scores.append(decision.score[:, place])
            told.append(decision.told[:, place])
            next_state.append(BlockState(history, gate_state))
        suppression = torch.sigmoid(self.back(residual))
        if self.config.bands is not None:
            suppression = over_bins(suppression, self.config.bands)
        return Output(suppression, torch.stack(masks, 1), torch.stack(scores, 1), torch.stack(told, 1), next_state)
