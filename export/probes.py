# SPDX-License-Identifier: Apache-2.0
"""Float probes to the integers of docs/arithmetic.md, section 9, in the narrowest width that costs no accuracy."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dyncp.export.bundle import Probes, ProbeTask
from dyncp.export.reference import probe_words
from dyncp.train.config import NetworkConfig
from dyncp.train.errors import QuantizationError
from dyncp.train.probes import BinaryScores, FloatProbes, score_binary

Bits = NDArray[np.bool_]

LARGEST_Q = 8
# int8 weights are taken where they cost less than this in AUC and in balanced accuracy on the fitting frames.
TOLERANCE = 0.0005


def narrowest(probes: FloatProbes, config: NetworkConfig, active: Bits, labels: Bits) -> FloatProbes:
    """A binary task's probes, marked for int8 weights if these cost no accuracy on the frames they were fitted on."""
    wide, narrow = (integer_scores(quantize_probes(probes, bits), config, active, labels) for bits in (16, 8))
    loss = max(wide.auc - narrow.auc, wide.balanced_accuracy - narrow.balanced_accuracy)
    return replace(probes, bits=8 if loss < TOLERANCE else 16)


def integer_scores(probes: Probes, config: NetworkConfig, active: Bits, labels: Bits) -> BinaryScores:
    """Scores of a binary task's words as the device computes them; active [T, blocks, N], labels [T]."""
    return score_binary(probe_words(probes, config, active)[:, 0].astype(np.float64), labels)


def quantize_probes(probes: FloatProbes, bits: Literal[8, 16]) -> Probes:
    """Round weights and biases to Q`q`, q the largest up to 8 with which a task's weights fit `bits`.

    All outputs of a task share its q. Raises QuantizationError for weights that are not finite or do not fit.
    """
    weight = np.zeros(probes.weight.shape, np.int8 if bits == 8 else np.int16)
    bias = np.zeros(len(probes.bias), np.int32)
    tasks, first = [], 0
    for task in probes.tasks:
        columns = slice(first, first + task.outputs)
        first = columns.stop
        q = _fitting_q(probes.weight[:, columns], probes.bias[columns], bits, task.name)
        weight[:, columns] = np.round(probes.weight[:, columns] * 2.0**q)
        bias[columns] = np.round(probes.bias[columns] * 2.0**q)
        tasks.append(ProbeTask(**task.model_dump(), q=q))
    return Probes(weight, bias, probes.channel, tasks)


def _fitting_q(weight: np.ndarray, bias: np.ndarray, bits: int, task: str) -> int:
    largest = float(np.abs(weight).max(initial=0))
    if not (np.isfinite(largest) and np.isfinite(bias).all()):
        raise QuantizationError(f"probe {task}: holds weights that are not finite numbers; fit it again")
    for q in range(LARGEST_Q, -1, -1):
        if round(largest * 2**q) < 2 ** (bits - 1):
            return q
    raise QuantizationError(f"probe {task}: a weight of {largest:.3g} does not fit int{bits}; scale its unit")
