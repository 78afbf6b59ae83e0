# SPDX-License-Identifier: Apache-2.0
"""A probe set in integers: its tables and tasks, checked, restricted to some tasks, named by a hash."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError, GenerationError
from dyncp.base.tasks import VOICE_ACTIVITY, Task
from dyncp.export.formats.masks import channel_bits
from dyncp.export.formats.tensors import Tensors, check_tensors, serialize, sha256

PROBES_VERSION = 1
"""Of the format of a probe set, in bundles and in generated libraries."""

SMOOTHED_LIMIT = 2**22
"""Words of a smoothed task stay below this: 8 more fraction bits and a difference of two fit 32 bits."""


class ProbeTask(Task):
    """One task of a probe set: what its output words mean (docs/bundle.md)."""

    q: int = Field(ge=0, le=30, description="fractional bits of an output word")


@dataclass
class Probes:
    """Linear probes on mask bits: weight int8 or int16 [F, O], bias int32 [O], channel int32 [F]."""

    weight: NDArray[np.integer[Any]]
    bias: NDArray[np.integer[Any]]
    channel: NDArray[np.integer[Any]]
    tasks: list[ProbeTask]

    @property
    def tensors(self) -> Tensors:
        return {"probes.weight": self.weight, "probes.bias": self.bias, "probes.channel": self.channel}

    @property
    def hash(self) -> str:
        """sha256 of the tables and the tasks: everything that decides the words and what they mean."""
        tasks = [task.model_dump(mode="json") for task in self.tasks]
        return sha256(serialize(self.tensors) + json.dumps(tasks, sort_keys=True).encode())

    @property
    def columns(self) -> list[slice]:
        """Which outputs are each task's."""
        ends = np.cumsum([task.outputs for task in self.tasks]).tolist()
        return [slice(end - task.outputs, end) for task, end in zip(self.tasks, ends, strict=True)]

    @property
    def shapes_signals(self) -> bool:
        """Whether any signal can differ from its word: smoothed, or held over from an earlier frame."""
        return any(task.smoothing or task.period > 1 for task in self.tasks)

    @property
    def deciding(self) -> list[str]:
        """Names of the tasks that decide something, in the order of the set."""
        return deciding(self.tasks)

    @property
    def voice_output(self) -> int | None:
        """The output whose sign says speech: that of the binary task `vad`; None in a set without."""
        for task, columns in zip(self.tasks, self.columns, strict=True):
            if task.name == VOICE_ACTIVITY.name and task.kind == "binary":
                return int(columns.start)
        return None


def deciding(tasks: Sequence[Task]) -> list[str]:
    """Names of those that decide something: all but regressions."""
    return [task.name for task in tasks if task.kind != "regression"]


def restrict(probes: Probes | None, names: Collection[str]) -> Probes | None:
    """The probes of these tasks alone, in the order of the set; None where no task is left.

    Features that none of them weighs are dropped. Raises GenerationError for a task that the set does not have.
    """
    tasks = probes.tasks if probes else []
    known = [task.name for task in tasks]
    for name in names:
        if name not in known:
            raise GenerationError(f"signals: there is no task {name!r}; the bundle has {', '.join(known) or 'none'}")
    if probes is None or not names:
        return None
    kept = [(task, columns) for task, columns in zip(tasks, probes.columns, strict=True) if task.name in names]
    outputs = np.concatenate([np.arange(columns.start, columns.stop) for _, columns in kept])
    weight = probes.weight[:, outputs]
    features = weight.any(axis=1)
    return Probes(weight[features], probes.bias[outputs], probes.channel[features], [task for task, _ in kept])


def check_probes(probes: Probes, config: NetworkConfig, source: str) -> None:
    """Prove that every word, and every smoothed word, fits its 32 bits whatever the masks.

    Raises BundleError, naming `source` and the field, also for tables that do not fit the tasks or the network.
    """
    features, outputs = len(probes.channel), sum(task.outputs for task in probes.tasks)
    names = [task.name for task in probes.tasks]
    if not names or len(set(names)) < len(names):
        raise BundleError(f"{source}: probes.tasks must be one or more, of different names")
    dtype = "int8" if probes.weight.dtype == np.int8 else "int16"
    layout = {"probes.weight": (dtype, (features, outputs)), "probes.bias": ("int32", (outputs,))}
    check_tensors(probes.tensors, {**layout, "probes.channel": ("int32", (features,))}, source)
    if not np.all(probes.channel[1:] > probes.channel[:-1]):
        raise BundleError(f"{source}: probes.channel must increase strictly")
    if not np.all(np.isin(probes.channel, channel_bits(config))):
        raise BundleError(f"{source}: probes.channel names a bit that is padding or outside the masks")
    reach = np.abs(probes.bias.astype(np.int64)) + np.abs(probes.weight.astype(np.int64)).sum(axis=0)
    if reach.max() > 2**31 - 1:
        raise BundleError(f"{source}: output {reach.argmax()} of probes.weight can overflow 32 bits; lower its q")
    _check_smoothing(probes, source)


def _check_smoothing(probes: Probes, source: str) -> None:
    largest = largest_words(probes)
    for task, columns in zip(probes.tasks, probes.columns, strict=True):
        reach = int(largest[columns].max())
        if task.smoothing and reach >= SMOOTHED_LIMIT:
            raise BundleError(
                f"{source}: words of the task {task.name} can reach ±{reach}, and smoothing holds less than 2^22; "
                "lower its q, or set its smoothing to 0"
            )


def largest_words(probes: Probes) -> NDArray[np.int64]:
    """The largest magnitude of each output's word over all masks, [O]: exact, since every bit may be 0 or 1."""
    weight, bias = probes.weight.astype(np.int64), probes.bias.astype(np.int64)
    highest = bias + np.maximum(weight, 0).sum(axis=0)
    lowest = bias + np.minimum(weight, 0).sum(axis=0)
    return np.asarray(np.maximum(np.abs(highest), np.abs(lowest)))
