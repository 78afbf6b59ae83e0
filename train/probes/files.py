# SPDX-License-Identifier: Apache-2.0
"""The probes of a checkpoint: all tasks on one set of mask bits, in float, and the file that keeps them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from dyncp.base.errors import CheckpointError
from dyncp.base.files import replace_file
from dyncp.base.scores import Score
from dyncp.base.tasks import Task
from dyncp.train.network.checkpoint import read_manifest, write_manifest
from dyncp.train.probes.linear import LinearProbe

PROBES = "probes.safetensors"


@dataclass(frozen=True)
class FloatProbes:
    """word[o] = bias[o] + Σ weight[f, o] · bit(channel[f]); weight [F, O], bias [O], channel int32 [F], increasing."""

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    channel: NDArray[np.int32]
    tasks: list[Task]
    bits: Literal[8, 16] = 16
    """Width of the integer weights: 8 where that was found to cost no accuracy."""

    def words(self, bits: NDArray[np.bool_], positions: NDArray[np.int32]) -> NDArray[np.float64]:
        """bits [T, all channels] at `positions`, increasing → words [T, O]."""
        features = bits[:, np.searchsorted(positions, self.channel)]
        return np.asarray(features.astype(np.float64) @ self.weight + self.bias)


def combine(probes: Sequence[LinearProbe], positions: NDArray[np.int32]) -> FloatProbes:
    """One set of all tasks over the union of the bits that they keep; positions int32 [F] in the packed masks.

    The tables are dense: a bit that one task alone keeps has weight 0 in the others.
    """
    kept = np.any([probe.kept for probe in probes], axis=0)
    weight = np.concatenate([probe.weight[kept] for probe in probes], axis=1)
    bias = np.concatenate([probe.bias for probe in probes])
    return FloatProbes(weight, bias, positions[kept].astype(np.int32), [probe.task for probe in probes])


def save_probes(folder: Path, probes: FloatProbes, scores: Mapping[str, Score], network_hash: str) -> None:
    """Add the probes to a checkpoint folder; `network_hash` names the integers they were fitted on."""
    tensors: dict[str, NDArray[np.generic]] = {
        "weight": probes.weight,
        "bias": probes.bias,
        "channel": probes.channel,
    }
    metadata = {
        "tasks": json.dumps([task.model_dump() for task in probes.tasks]),
        "bits": str(probes.bits),
        "scores": json.dumps({name: score.model_dump(exclude_none=True) for name, score in scores.items()}),
        "network": network_hash,
    }
    data = safetensors.numpy.save(tensors, metadata)
    replace_file(folder / PROBES, data)
    manifest = read_manifest(folder)
    files = {**manifest.files, PROBES: hashlib.sha256(data).hexdigest()}
    write_manifest(folder, manifest.model_copy(update={"files": files}))


def load_probes(folder: Path) -> FloatProbes | None:
    """The checkpoint's probes, None where it has none. Raises CheckpointError naming file and field."""
    path = folder / PROBES
    if not path.exists():
        return None
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
        tensors = safetensors.numpy.load_file(path)
        tasks = [Task.model_validate(task) for task in json.loads(metadata["tasks"])]
        bits: Literal[8, 16] = 8 if metadata["bits"] == "8" else 16
        return FloatProbes(tensors["weight"], tensors["bias"], tensors["channel"], tasks, bits)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read as probes: {error}") from None
