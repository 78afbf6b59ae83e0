# SPDX-License-Identifier: Apache-2.0
"""What the validation clips tell after an epoch: losses, and how much of the network computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from dyncp.base.config.training import ByKind
from dyncp.train import processes
from dyncp.train.losses.kinds import shares
from dyncp.train.mixing.clips import Batch


@dataclass(frozen=True)
class Validated:
    """Means over the clips of all processes."""

    loss: float
    """Of the enhanced speech."""
    objective: float
    """The loss, and the weighted one of the utilization: what epochs are compared by."""
    utilization: list[float]
    """Of each block; none in a static network."""
    shares: ByKind | None
    """Utilization by kind of frame, where the clips mark speech."""

    def log(self, writer: SummaryWriter, step: int) -> None:
        """To TensorBoard."""
        writer.add_scalar("validation/loss", self.loss, step)
        for block, share in enumerate(self.utilization):
            writer.add_scalar(f"utilization/block{block}", share, step)
        if self.shares:
            writer.add_scalar("utilization/speech", self.shares.speech, step)
            writer.add_scalar("utilization/rest", self.shares.rest, step)


@torch.no_grad()
def validated(
    batches: Sequence[Batch],
    measure: Callable[[Batch], tuple[Tensor, Tensor]],
    utilization_loss: Callable[[Tensor, Batch], Tensor] | None,
) -> Validated:
    """`measure`: (loss, masks [B, blocks, N, T]) of a batch; `utilization_loss`, weighted, of masks of gates."""
    losses, objectives, utilizations, kinds, frames = [], [], [], [], []
    for batch in batches:
        loss, masks = measure(batch)
        losses.append(loss)
        if utilization_loss is None:
            continue
        objectives.append(loss + utilization_loss(masks, batch))
        utilizations.append(masks.mean(dim=(0, 2, 3)))
        if batch.speech is not None:
            share, count = shares(masks, batch.speech.to(masks.device))
            kinds.append(share * count)
            frames.append(count)
    by_kind = ByKind(*(torch.stack(kinds).sum(0) / torch.stack(frames).sum(0)).tolist()) if kinds else None
    utilization = processes.mean(torch.stack(utilizations).mean(0)).tolist() if utilizations else []
    means = torch.stack([torch.stack(losses).mean(), torch.stack(objectives or losses).mean()])
    loss, objective = processes.mean(means).tolist()
    return Validated(loss, objective, utilization, by_kind)
