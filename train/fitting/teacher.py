# SPDX-License-Identifier: Apache-2.0
"""Another enhancer as the teacher: what a training aims at lies between clean speech and the teacher's estimate of it.

A small network cannot reach clean speech; what a larger one makes of the same clip is a target nearer to it (arXiv
2309.08144), where that estimate is worth learning from (arXiv 2509.15922).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from dyncp.base.errors import ConfigError
from dyncp.train.mixing.clips import Batch

# Active level of the speech that a teacher hears, dBFS: the usual one of corpora.
LEVEL_DBFS = -26.0


class Teacher:
    """A program of `torch.export`: noisy speech [B, samples], float32 in [−1, 1], to enhanced speech of the same shape.

    It is of the network's rate, adds no delay and takes any B. Raises ConfigError for a file that is no such program or
    does not take a batch of the training.
    """

    def __init__(self, path: Path, weight: float, clips: int, samples: int, device: torch.device) -> None:
        self.weight, self.device = weight, device
        self.enhance = _loaded(path, device)
        silence = torch.zeros(clips, samples, device=device)
        try:
            answer = self._estimate(silence)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise ConfigError(f"{path}: does not take a batch of {clips} × {samples} samples: {error}") from error
        if answer.shape != silence.shape:
            raise ConfigError(
                f"{path}: makes {list(answer.shape)} of {list(silence.shape)} samples; they must be alike"
            )

    def target(self, batch: Batch) -> Tensor:
        """[B, samples]: `weight` of the teacher's estimate in the clean speech, in clips where it is worth learning.

        Those are the clips with speech in which its error is less than the speech itself.
        """
        noisy, clean, level = (part.to(self.device) for part in (batch.noisy, batch.clean, batch.level))
        gain = 10 ** (LEVEL_DBFS / 20) / level.clamp(min=1e-5)[:, None]
        estimate = self._estimate(noisy * gain) / gain
        worth = (estimate - clean).square().sum(1) < clean.square().sum(1)
        return torch.where(worth[:, None], torch.lerp(clean, estimate, self.weight), clean)

    @torch.no_grad()
    def _estimate(self, noisy: Tensor) -> Tensor:
        return self.enhance(noisy).float()


def _loaded(path: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file; docs/training.md says how to write a teacher")
    try:
        program = torch.export.load(path)
    except Exception as error:  # Of many kinds, by where in the archive the reading fails.
        raise ConfigError(f"{path}: is no program of torch.export: {error}") from error
    if device.type != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, device)
    module: Callable[[Tensor], Tensor] = program.module()
    return module
