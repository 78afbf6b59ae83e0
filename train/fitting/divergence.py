# SPDX-License-Identifier: Apache-2.0
"""A training that diverges stops at the first number that is not finite, and leaves its files as they were."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import DivergenceError
from dyncp.train.fitting.schedule import learning_rate
from dyncp.train.mixing.clips import Batch


@torch.no_grad()
def largest(tensors: Iterable[Tensor]) -> Tensor:
    """The largest magnitude in these tensors, a scalar: not finite where any number is not. Leaves out integers."""
    parts = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.numel()]
    return torch.stack([norm.float() for norm in torch._foreach_norm(parts, math.inf)]).max()


def stop_unless_finite(
    watched: Mapping[str, float], config: TrainingConfig, step: int, folder: Path, batch: Batch | None = None
) -> None:
    """Raises DivergenceError for the first of `watched` that is not finite, values by what they are called.

    `step` is counted from 0 over the whole training; `batch` is what it trained on, None for a validation.
    """
    for name, value in watched.items():
        if not math.isfinite(value):
            raise diverged(f"{name} is {value}", config, step, folder, batch)


def diverged(what: str, config: TrainingConfig, step: int, folder: Path, batch: Batch | None = None) -> DivergenceError:
    """The error that tells `what` happened, where, why as a rule, and how to go on; arguments as above."""
    epoch, within = divmod(step, config.steps_per_epoch)
    place = f"epoch {epoch + 1}, step {within + 1} of {config.steps_per_epoch}"
    kept = (
        f"{folder} is as epoch {epoch} left it: train on from there with --start {folder} and another --out"
        if epoch
        else "no epoch was finished, and nothing has been written"
    )
    causes = "; ".join(_causes(config, step, batch))
    return DivergenceError(f"{place}: {what}; training stops. Usual causes: {causes}. {kept}")


def _causes(config: TrainingConfig, step: int, batch: Batch | None) -> list[str]:
    """The likeliest first."""
    rate = f"{learning_rate(config, step):.3g} at this step"
    causes = [f"a learning rate that is too high (training.learning_rate, final_learning_rate; {rate})"]
    if batch is not None:
        whole = all(bool(part.isfinite().all()) for part in (batch.noisy, batch.clean, batch.level))
        clip = f"a clip of extreme level or SNR ([mixing]; batch {step} of seed {config.seed})"
        causes = [*causes, clip] if whole else [f"audio that is not finite, in batch {step} of seed {config.seed}"]
    weighed = [
        field
        for field in ("utilization_weight", "perceptual_weight", "intelligibility_weight", "waveform_weight")
        if getattr(config, field)
    ]
    if weighed:
        causes.append(f"the weight of a loss (training.{', '.join(weighed)})")
    if config.precision != "float32":
        causes.append(f"reduced precision (training.precision is {config.precision}; try float32)")
    return causes
