# SPDX-License-Identifier: Apache-2.0
"""Temporal pooling before a gate's decision: the paper's moving average, or one-poles that need less memory.

All take [B, C, T] and the state of the previous chunk, and return the pooled [B, C, T] and the next state. Those of the
residual are linear and treat channels alike, so that they and a 1×1 convolution without bias can change places.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Frames per matrix product: a longer chunk costs more arithmetic, a shorter one more calls.
CHUNK = 128


class WindowPooling(nn.Module):
    """Mean of the last F frames, zeros before the start. State: the last F − 1 frames, [B, C, F − 1].

    A chunk is one product with a banded matrix: on a CPU ten times faster, forward and back, than `avg_pool1d`.
    """

    band: Tensor

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.channels, self.frames = channels, frames
        lag = torch.arange(frames - 1, frames - 1 + CHUNK)[None, :] - torch.arange(frames - 1 + CHUNK)[:, None]
        self.register_buffer("band", ((lag >= 0) & (lag < frames)) / frames, persistent=False)

    def initial_state(self, like: Tensor) -> Tensor:
        return like.new_zeros(like.shape[0], self.channels, self.frames - 1)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        past, padded = self.frames - 1, torch.cat([state, x], dim=-1)
        pooled = []
        for start in range(0, x.shape[-1], CHUNK):
            t = min(CHUNK, x.shape[-1] - start)
            pooled.append(padded[..., start : start + past + t] @ self.band[: past + t, :t])
        return torch.cat(pooled, dim=-1), padded[..., x.shape[-1] :]

    def advance(self, x: Tensor, state: Tensor) -> Tensor:
        """The next state alone."""
        return torch.cat([state, x], dim=-1)[..., x.shape[-1] :]


class EmaPooling(nn.Module):
    """One-pole e ← e + α (x − e), α = 2 / (F + 1), zero at the start. State: e, [B, C, 1].

    `frames` is F of all channels, or lists it channel by channel. Within a chunk the recurrence is one product with
    lower-triangular matrices, which a GPU and BLAS like.
    """

    response: Tensor
    decay: Tensor

    def __init__(self, channels: int, frames: int | Sequence[int]) -> None:
        super().__init__()
        self.channels = channels
        each = [frames] if isinstance(frames, int) else list(frames)
        alpha = 2.0 / (torch.tensor(each).double() + 1)[:, None, None]
        lag = torch.arange(CHUNK)[None, :] - torch.arange(CHUNK)[:, None]
        # [1 or C, CHUNK, CHUNK] and [1 or C, CHUNK].
        response = torch.where(lag >= 0, alpha * (1 - alpha) ** lag.clamp(min=0).double(), 0.0)
        decay = (1 - alpha[:, 0]) ** torch.arange(1, CHUNK + 1).double()
        self.register_buffer("response", response.float(), persistent=False)
        self.register_buffer("decay", decay.float(), persistent=False)

    def initial_state(self, like: Tensor) -> Tensor:
        return like.new_zeros(like.shape[0], self.channels, 1)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        pooled = []
        for chunk in torch.split(x, CHUNK, dim=-1):
            t = chunk.shape[-1]
            out = self._filtered(chunk, self.response[:, :t, :t]) + state * self.decay[:, :t]
            state = out[..., -1:]
            pooled.append(out)
        return torch.cat(pooled, dim=-1), state

    def advance(self, x: Tensor, state: Tensor) -> Tensor:
        """The next state alone."""
        for chunk in torch.split(x, CHUNK, dim=-1):
            t = chunk.shape[-1]
            state = self._filtered(chunk, self.response[:, :t, t - 1 : t]) + state * self.decay[:, t - 1 : t]
        return state

    @staticmethod
    def _filtered(x: Tensor, response: Tensor) -> Tensor:
        """x [B, C, T] and responses [1 or C, T, t] → [B, C, t]."""
        if len(response) == 1:
            return x @ response[0]
        return (x.transpose(0, 1) @ response).transpose(0, 1)
