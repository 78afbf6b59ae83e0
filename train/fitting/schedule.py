# SPDX-License-Identifier: Apache-2.0
"""What changes from step to step of a training: learning rate and target utilization, functions of the step alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from dyncp.base.config.training import TrainingConfig


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to `final_learning_rate`."""
    steps = config.epochs * config.steps_per_epoch
    warmup = config.warmup * steps
    if step < warmup:
        return config.learning_rate * (step + 1) / (warmup + 1)
    phase = (step - warmup) / max(1.0, steps - warmup)
    swing = config.learning_rate - config.final_learning_rate
    return config.final_learning_rate + swing * 0.5 * (1 + math.cos(math.pi * phase))


def groups_by_rate(learned: Sequence[Tensor], gates: Sequence[Tensor], factor: float) -> list[dict[str, Any]]:
    """What is learned, in groups of the optimizer: `gates` at `factor` times the schedule's rate, all else at it."""
    if factor == 1:
        return [{"params": list(learned), "factor": 1.0}]
    apart = {id(parameter) for parameter in gates}
    others = [parameter for parameter in learned if id(parameter) not in apart]
    return [{"params": others, "factor": 1.0}, {"params": list(gates), "factor": factor}]


def target_utilization(config: TrainingConfig, step: int, target: float | None = None) -> float:
    """From 1 linearly down to the target over the first `utilization_ramp` of all steps; None: that of all frames."""
    ramp = _ramp(config)
    progress = 1.0 if ramp == 0 else min(1.0, step / ramp)
    return 1 + ((config.target_utilization if target is None else target) - 1) * progress


def has_settled(config: TrainingConfig, step: int) -> bool:
    """Whether the target utilization no longer falls: only from then on do epochs aim at the same."""
    return step >= _ramp(config)


def _ramp(config: TrainingConfig) -> float:
    return config.utilization_ramp * config.epochs * config.steps_per_epoch
