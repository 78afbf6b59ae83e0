# SPDX-License-Identifier: Apache-2.0
"""Float probes to the integers of docs/arithmetic.md, section 9, in the narrowest width that costs no accuracy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import QuantizationError
from dyncp.base.scores import Score, score
from dyncp.base.tasks import Task
from dyncp.export.formats.bundle import Probes, ProbeTask
from dyncp.export.formats.probe_set import SMOOTHED_LIMIT, largest_words
from dyncp.export.integers.readout import probe_signals, probe_words
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.files import FloatProbes

LARGEST_Q = 12
# int8 weights are taken where they cost less than this on the fitting frames: in AUC and in balanced accuracy, and
# in a regression's mean absolute error as a share of it.
TOLERANCE = 0.0005
ERROR_TOLERANCE = 0.01


def narrowest(probes: FloatProbes, config: NetworkConfig, fitted: ProbeData) -> FloatProbes:
    """The probes marked for int8 weights if these cost no task any accuracy on the data that they were fitted on."""
    wide = integer_scores(quantize_probes(probes, 16), config, fitted)
    narrow = integer_scores(quantize_probes(probes, 8), config, fitted)
    return replace(probes, bits=16 if any(is_worse(narrow[name], wide[name]) for name in wide) else 8)


def is_worse(narrow: Score, wide: Score) -> bool:
    """Whether one of the figures that the task has is worse than the tolerance allows."""
    if wide.mae is not None and narrow.mae is not None:
        return narrow.mae > (1 + ERROR_TOLERANCE) * wide.mae
    pairs = ((wide.auc, narrow.auc), (wide.balanced_accuracy, narrow.balanced_accuracy))
    return any(before is not None and after is not None and before - after > TOLERANCE for before, after in pairs)


def integer_scores(probes: Probes, config: NetworkConfig, data: ProbeData) -> dict[str, Score]:
    """Scores of the signals that the device computes, smoothed where a task says so, on the frames that each uses."""
    words = probe_words(probes, config, data.observation.masks)
    signals = probe_signals(probes, words)
    return {
        task.name: score(signals[:, columns] / 2.0**task.q, data.labels[task.name], data.used(task), task)
        for task, columns in zip(probes.tasks, probes.columns, strict=True)
    }


def quantize_probes(probes: FloatProbes, bits: Literal[8, 16]) -> Probes:
    """Round weights and biases to Q`q`: for each task the largest q up to 12 with which its weights fit `bits` and
    its words stay below 2^22, so that they can be smoothed.

    Raises QuantizationError for weights that are not finite or do not fit.
    """
    weight = np.zeros(probes.weight.shape, np.int8 if bits == 8 else np.int16)
    bias = np.zeros(len(probes.bias), np.int32)
    tasks, first = [], 0
    for task in probes.tasks:
        columns = slice(first, first + task.outputs)
        first = columns.stop
        part = _quantize_task(probes, task, columns, weight.dtype)
        weight[:, columns], bias[columns] = part.weight, part.bias
        tasks += part.tasks
    return Probes(weight, bias, probes.channel, tasks)


def _quantize_task(probes: FloatProbes, task: Task, columns: slice, dtype: np.dtype[Any]) -> Probes:
    weight, bias = probes.weight[:, columns], probes.bias[columns]
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise QuantizationError(f"probe {task.name}: holds weights that are not finite numbers; fit it again")
    for q in range(LARGEST_Q, -1, -1):
        scaled = np.round(weight * 2.0**q)
        if np.abs(scaled).max(initial=0) <= np.iinfo(dtype).max:
            # A bias at the limit does not fit, so that one beyond it may be taken for that.
            rounded = np.clip(np.round(bias * 2.0**q), -SMOOTHED_LIMIT, SMOOTHED_LIMIT).astype(np.int32)
            part = Probes(scaled.astype(dtype), rounded, probes.channel, [ProbeTask(**task.model_dump(), q=q)])
            if largest_words(part).max() < SMOOTHED_LIMIT:
                return part
    largest = np.abs(weight).max(initial=0)
    raise QuantizationError(
        f"probe {task.name}: weights up to {largest:.3g} {task.unit} do not fit {dtype}, or their words 22 bits; "
        "choose a larger unit"
    )
