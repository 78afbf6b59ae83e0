# SPDX-License-Identifier: Apache-2.0
"""The plain PyTorch loop that `make bench` compares with: the paper's network layer by layer, eager, in float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dyncp.base.config.experiment import Config
from dyncp.base.config.framing import BINS, HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.train.fitting.trainer import GRADIENT_NORM
from dyncp.train.losses.spectral import COMPLEX_WEIGHT, FLOOR, MAGNITUDE_WEIGHT
from dyncp.train.mixing.clips import Batch
from dyncp.train.network.gate import Heaviside
from dyncp.train.network.stft import POWER, analyse, features, synthesise


class Block(nn.Module):
    """Gates on the output, pooling by the moving average."""

    def __init__(self, config: NetworkConfig, dilation: int) -> None:
        super().__init__()
        c, h = config.channels, config.hidden
        self.pad = nn.ConstantPad1d((config.pooled_frames - 1, 0), 0.0)
        self.pool = nn.AvgPool1d(config.pooled_frames, stride=1)
        self.gate = nn.Sequential(nn.Conv1d(c, config.gate, 1), nn.ReLU(), nn.Conv1d(config.gate, c, 1))
        self.layers = nn.Sequential(
            nn.Conv1d(c, h, 1, bias=False),
            nn.BatchNorm1d(h),
            nn.ReLU(),
            nn.ConstantPad1d(((config.kernel - 1) * dilation, 0), 0.0),
            nn.Conv1d(h, h, config.kernel, dilation=dilation, groups=h, bias=False),
            nn.BatchNorm1d(h),
            nn.ReLU(),
            nn.Conv1d(h, c, 1, bias=False),
        )

    def forward(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        mask: Tensor = Heaviside.apply(self.gate(self.pool(self.pad(residual))))  # type: ignore[no-untyped-call]
        return residual + mask * self.layers(residual), mask


class Network(nn.Module):
    """Features [B, 257, T] → suppression mask [B, 257, T], gates [B, blocks, C, T]."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.front = nn.Conv1d(BINS, config.channels, 1)
        self.blocks = nn.ModuleList(Block(config, dilation) for dilation in config.block_dilations)
        self.back = nn.Conv1d(config.channels, BINS, 1)

    def forward(self, magnitudes: Tensor) -> tuple[Tensor, Tensor]:
        residual, masks = F.relu(self.front(magnitudes)), []
        for block in self.blocks:
            residual, mask = block(residual)
            masks.append(mask)
        return torch.sigmoid(self.back(residual)), torch.stack(masks, 1)


class Loop:
    """The same losses and updates as `Trainer`, one call each."""

    def __init__(self, config: Config, device: str) -> None:
        self.training, self.device = config.training, device
        self.network = Network(config.network).to(device)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=config.training.learning_rate)

    def step(self, batch: Batch) -> float:
        loss, masks = self.forward(batch.noisy, batch.clean, batch.level)
        missed = masks.mean() - self.training.target_utilization
        total = loss + self.training.utilization_weight * missed.square()
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        self.optimizer.step()
        return loss.item()

    def forward(self, noisy: Tensor, clean: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        noisy, clean, level = noisy.to(self.device), clean.to(self.device), level.to(self.device)
        spectrum = analyse(noisy)
        suppression, masks = self.network(features(spectrum))
        estimate = analyse(synthesise(spectrum * suppression)[:, HOP:] / level[:, None])
        target = analyse(clean[:, :-HOP] / level[:, None])
        estimate, target = (x / (x.abs().square() + FLOOR).pow((1 - POWER) / 2) for x in (estimate, target))
        magnitude_error = (estimate.abs() - target.abs()).square().mean()
        complex_error = (estimate - target).abs().square().mean()
        return MAGNITUDE_WEIGHT * magnitude_error + COMPLEX_WEIGHT * complex_error, masks
