# SPDX-License-Identifier: Apache-2.0
"""Float probes to the integers of docs/arithmetic.md, section 9."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dyncp.export.bundle import Probes, ProbeTask
from dyncp.train.errors import QuantizationError
from dyncp.train.probes import FloatProbes

LARGEST_Q = 8


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
