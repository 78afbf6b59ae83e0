# SPDX-License-Identifier: Apache-2.0
"""The probes of a checkpoint: all tasks on one set of mask bits, in float, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from dyncp.base.errors import CheckpointError
from dyncp.base.files.reading import parse_json
from dyncp.base.scores import Score
from dyncp.base.tasks import Task
from dyncp.train.network.checkpoint import PROBES, read_files, write_files
from dyncp.train.probes.linear import LinearProbe


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
    manifest, contents = read_files(folder)
    write_files(folder, manifest, {**contents, PROBES: safetensors.numpy.save(tensors, metadata)})


def load_probes(folder: Path) -> FloatProbes | None:
    """The checkpoint's probes, None where it has none. Raises CheckpointError naming file and field."""
    _, contents = read_files(folder)
    if PROBES not in contents:
        return None
    return _parsed(contents[PROBES], folder / PROBES)


def _parsed(data: bytes, path: Path) -> FloatProbes:
    try:
        metadata, tensors = _metadata(data, path), safetensors.numpy.load(data)
        tasks = [Task.model_validate(task) for task in _listed(metadata["tasks"], path)]
        weight, bias, channel = tensors["weight"], tensors["bias"], tensors["channel"]
        bits: Literal[8, 16] = 8 if metadata["bits"] == "8" else 16
    except (KeyError, ValueError, TypeError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot be read as probes: {error}") from None
    outputs = sum(task.outputs for task in tasks)
    layout = {"weight": (weight, np.float64, (len(channel), outputs)), "bias": (bias, np.float64, (outputs,))}
    for name, (array, dtype, shape) in {**layout, "channel": (channel, np.int32, (len(channel),))}.items():
        if array.dtype != dtype or array.shape != shape:
            raise CheckpointError(
                f"{path}: {name} is {array.dtype} {list(array.shape)}, expected {np.dtype(dtype)} {list(shape)}"
            )
    return FloatProbes(weight, bias, channel, tasks, bits)


def _metadata(data: bytes, path: Path) -> dict[str, str]:
    """Of a safetensors file: a length of 8 bytes, then JSON that says what follows."""
    header = parse_json(data[8 : 8 + int.from_bytes(data[:8], "little")], path, CheckpointError)
    found = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(found, dict):
        raise CheckpointError(f"{path}: has no metadata")
    return {str(key): str(value) for key, value in found.items()}


def _listed(text: str, path: Path) -> list[object]:
    tasks = parse_json(text.encode(), path, CheckpointError)
    if not isinstance(tasks, list):
        raise CheckpointError(f"{path}: tasks must be a list")
    return tasks
