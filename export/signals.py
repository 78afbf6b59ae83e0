# SPDX-License-Identifier: Apache-2.0
"""Probe words in engineering units: what `dyncp_signals` means, for tables and plots on the host."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dyncp.export.bundle import Probes


def columns(probes: Probes | None) -> list[str]:
    """Names of the columns that `values` yields."""
    names: list[str] = []
    for task in probes.tasks if probes else []:
        if task.kind == "binary":
            names += [f"{task.name}_score", task.name]
        elif task.kind == "multiclass":
            names += [f"{task.name}_{label}" for label in task.classes] + [task.name]
        else:
            names.append(f"{task.name}_{task.unit}" if task.unit else task.name)
    return names


def values(probes: Probes | None, words: NDArray[np.int32]) -> Iterator[list[str]]:
    """words int32 [n, O] → for each frame the texts of its columns: scores and values, decisions, class names."""
    for frame in words:
        row: list[str] = []
        first = 0
        for task in probes.tasks if probes else []:
            outputs = frame[first : first + task.outputs] / 2.0**task.q
            first += task.outputs
            row += [f"{value:.6g}" for value in outputs]
            if task.kind == "binary":
                row.append(str(int(outputs[0] > 0)))
            elif task.kind == "multiclass":
                row.append(task.classes[int(np.argmax(outputs))])
        yield row
