# SPDX-License-Identifier: Apache-2.0
"""A network as training runs it, and what its gates did."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dyncp.train.network.enhancer import Enhancer


class Masking(nn.Module):
    """Features [B, F, T] → suppression mask [B, bins, T], gates [B, blocks, N, T] twice, the second time for read-outs,
    and the values of each gate, [B, G, D]: what compilation covers."""

    def __init__(self, network: Enhancer) -> None:
        super().__init__()
        self.network = network

    def forward(self, magnitudes: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        output = self.network(magnitudes)
        return output.suppression, output.masks, output.told, output.values


@dataclass(frozen=True)
class Gating:
    """What the gates did to a batch, as `Masking` has it."""

    masks: Tensor
    told: Tensor
    values: list[Tensor]
