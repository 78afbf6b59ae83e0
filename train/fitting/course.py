# SPDX-License-Identifier: Apache-2.0
"""Which epoch is the best so far: what early stopping and `keep_best` go by.

Epochs are compared by the objective on the validation clips: the loss of the enhanced speech and the weighted loss of
the utilization, and only once the target utilization has settled. Before, less pruning would count as better.
"""

from __future__ import annotations

from dyncp.base.config.training import TrainingConfig
from dyncp.train.network.resume_file import Best


class Course:
    """Of one training, from epoch to epoch."""

    def __init__(self, config: TrainingConfig, best: Best | None = None) -> None:
        self.config, self.best = config, best

    def note(self, epoch: int, objective: float, settled: bool) -> bool:
        """What the validation after an epoch gave; whether the checkpoint is to be this epoch's."""
        better = settled and (self.best is None or objective < self.best.objective)
        if better:
            self.best = Best(epoch, objective)
        return better or not settled or not self.config.keep_best

    def is_over(self, epoch: int) -> bool:
        """Whether, after this epoch, `patience` is at an end."""
        return (
            self.config.patience is not None
            and self.best is not None
            and epoch - self.best.epoch >= self.config.patience
        )
