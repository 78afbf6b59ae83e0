# SPDX-License-Identifier: Apache-2.0
"""Temporal pooling of the residual before a gate: the paper's moving average, or a one-pole that needs less memory.

Both take [B, C, T] and the state of the previous chunk, and return the pooled [B, C, T] and the next state.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Frames per step of the blockwise recurrence: a longer one costs more arithmetic, a shorter one more calls.
EMA_CHUNK = 128


class WindowPooling(nn.Module):
    """Mean of the last F frames, zeros before the start. State: the last F − 1 frames, [B, C, F − 1]."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.channels, self.frames = channels, frames

    def initial_state(self, like: Tensor) -> Tensor:
        return like.new_zeros(like.shape[0], self.channels, self.frames - 1)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        padded = torch.cat([state, x], dim=-1)
        return F.avg_pool1d(padded, self.frames, stride=1), padded[..., x.shape[-1] :]


class EmaPooling(nn.Module):
    """One-pole e ← e + α (x − e), α = 2 / (F + 1), zero at the start. State: e, [B, C, 1].

    Within a chunk the recurrence is one product with a lower-triangular matrix, which a GPU and BLAS like.
    """

    response: Tensor
    decay: Tensor

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.channels = channels
        alpha = 2.0 / (frames + 1)
        lag = torch.arange(EMA_CHUNK)[None, :] - torch.arange(EMA_CHUNK)[:, None]
        response = torch.where(lag >= 0, alpha * (1 - alpha) ** lag.clamp(min=0).double(), 0.0)
        decay = (1 - alpha) ** torch.arange(1, EMA_CHUNK + 1).double()
        self.register_buffer("response", response.float(), persistent=False)
        self.register_buffer("decay", decay.float(), persistent=False)

    def initial_state(self, like: Tensor) -> Tensor:
        return like.new_zeros(like.shape[0], self.channels, 1)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        pooled = []
        for chunk in torch.split(x, EMA_CHUNK, dim=-1):
            t = chunk.shape[-1]
            out = chunk @ self.response[:t, :t] + state * self.decay[:t]
            state = out[..., -1:]
            pooled.append(out)
        return torch.cat(pooled, dim=-1), state
