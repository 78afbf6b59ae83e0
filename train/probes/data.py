# SPDX-License-Identifier: Apache-2.0
"""What probes are fitted and scored on: a stream of one split, what a network shows on it, and the ground truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.tasks import VOICE_ACTIVITY, Task
from dyncp.train.corpora.recordings import Corpus, Split
from dyncp.train.probes.observation import Observation
from dyncp.train.streams.streams import Stream, StreamConfig, make_stream
from dyncp.train.targets.labels import make_labels
from dyncp.train.targets.standard_tasks import Classes
from dyncp.train.targets.user_targets import UserTarget


@dataclass(frozen=True)
class ProbeData:
    """Labels [T] of every task and of voice activity, by name: float with NaN, or class indices with −1."""

    stream: Stream
    observation: Observation
    labels: dict[str, NDArray[Any]]
    tasks: list[Task]

    def used(self, task: Task) -> NDArray[np.bool_]:
        """The frames [T] that a task is fitted and scored on: those with a label, and with speech if it needs some."""
        labels = self.labels[task.name]
        used = np.isfinite(labels) if task.kind == "regression" else labels >= 0
        return used & (self.labels[VOICE_ACTIVITY.name] == 1) if task.frames == "speech" else used


def make_probe_data(
    corpus: Corpus,
    split: Split,
    minutes: float,
    observe: Callable[[Pcm], Observation],
    tasks: Sequence[Task],
    targets: Sequence[UserTarget] = (),
    cache: Path | None = None,
    settings: StreamConfig | None = None,
    seed: int = 0,
    framing: Framing = STANDARD,
) -> ProbeData:
    """A stream of `minutes` of one split, observed and labelled for the standard `tasks` and a user's `targets`.

    `cache` is a folder that keeps the labels that take long. The classes are those of the training split, whatever
    `split` is, and the frames those of the network that `observe` runs. Raises as the makers of streams and labels do.
    """
    stream = make_stream(corpus, split, minutes, settings, seed).cut_for(framing)
    observation = observe(stream.noisy)
    wanted = {VOICE_ACTIVITY.name, *(task.name for task in tasks)}
    labels = make_labels(stream, observation.output, Classes.of(corpus.split("train")), wanted, cache)
    labels |= {target.task.name: target.labels(stream) for target in targets}
    return ProbeData(stream, observation, labels, [*tasks, *(target.task for target in targets)])
