# SPDX-License-Identifier: Apache-2.0
"""What is told of a training while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dyncp.base.config.training import ByKind


@dataclass(frozen=True)
class Progress:
    """What an observer is told after each step."""

    step: int
    steps: int
    epoch: int
    loss: float
    utilization: float
    target_utilization: float
    validation_loss: float | None = None
    validation_shares: ByKind | None = None
    """Utilization by kind of frame, where the targets are."""


Observer = Callable[[Progress], None]
