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
from dyncp.train.network.gate import Decision, Gate
from dyncp.train.network.holding import GateState
from dyncp.train.network.stft import over_bins


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
        return Decision(nothing, nothing, nothing, nothing[:, 0]), None

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
    values: list[Tensor]  # of each gate in the frames of its decisions, [B, G, D]
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
        if any(channels):
            for gate in self.gates:
                gate.keep_open(self._of_group(gate, channels))

    def nest(self, kept: Sequence[int]) -> None:
        """Each gate picks a width: scores of all channels but the first `kept` of each block share one direction."""
        for gate in self.gates:
            gate.nest(self._of_group(gate, kept))

    @property
    def gates(self) -> list[Gate]:
        return [module for module in self.modules() if isinstance(module, Gate)]

    @staticmethod
    def _of_group(gate: Gate, by_block: Sequence[int]) -> Sequence[int]:
        return by_block[gate.group * gate.blocks : (gate.group + 1) * gate.blocks]

    def _budget(self, residual: Tensor) -> Tensor:
        """Channels that each frame of residual [B, C, T] may compute: [B, T] in float32, as bfloat16 counts to 256."""
        shape = residual.shape[0], residual.shape[2]
        return residual.new_full(shape, self.config.frame_limit, dtype=torch.float32)

    def forward(self, features: Tensor, state: list[BlockState] | None = None) -> Output:
        """features [B, F, T] → Output. `state` is the previous chunk's `Output.state`; None starts a stream."""
        state = self.initial_state(features.shape[0]) if state is None else state
        residual = F.relu(self.front(features))
        masks, scores, told, values, next_state = [], [], [], [], []
        left = self._budget(residual) if self.config.capped else None
        for i, (block, block_state) in enumerate(zip(self.blocks, state, strict=True)):
            place, gate_state = i % self.config.blocks_per_gate, None
            if place == 0:
                limit = None if left is None else left.clamp(max=self.config.block_limit)
                decision, gate_state = block.decide(residual, block_state, limit)  # type: ignore[operator]
                values.append(decision.values)
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
        gating = torch.stack(masks, 1), torch.stack(scores, 1), torch.stack(told, 1)
        return Output(suppression, *gating, values, next_state)
