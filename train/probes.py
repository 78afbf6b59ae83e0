# SPDX-License-Identifier: Apache-2.0
"""Linear probes on pruning masks (arXiv 2602.10666, section 2.3): fitting, scores, and the file they are kept in.

Features are mask bits, bool [T, F]; a bit that hardly ever changes (std ≤ τ = 0.005) is dropped. The masks come from
the integer network, so that a probe is fitted on what the device produces.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from dyncp.train.checkpoint import read_manifest, write_manifest
from dyncp.train.errors import CheckpointError, ProbeError
from dyncp.train.files import replace_file
from dyncp.train.tasks import TAU, Task

ALPHA = 0.01
PROBES = "probes.safetensors"


@dataclass(frozen=True)
class FloatProbes:
    """word[o] = bias[o] + Σ weight[f, o] · bit(channel[f]); weight [F, O], bias [O], channel int32 [F]."""

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    channel: NDArray[np.int32]
    tasks: list[Task]
    bits: Literal[8, 16] = 16
    """Width of the integer weights: 8 where that was found to cost no accuracy."""

    def scores(self, bits: NDArray[np.bool_], positions: NDArray[np.int32]) -> NDArray[np.float64]:
        """bits [T, all channels] at `positions` → words [T, O]."""
        features = bits[:, np.searchsorted(positions, self.channel)]
        return np.asarray(features.astype(np.float64) @ self.weight + self.bias)


@dataclass(frozen=True)
class BinaryScores:
    """Of a binary task on data the probe was not fitted on."""

    frames: int
    positive_share: float
    accuracy: float
    balanced_accuracy: float
    f1: float
    auc: float


def informative(bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which columns of bits [T, F] vary: std > τ."""
    return np.asarray(bits.std(axis=0) > TAU)


def fit_binary(
    bits: NDArray[np.bool_], labels: NDArray[np.bool_], positions: NDArray[np.int32], task: Task
) -> FloatProbes:
    """Logistic regression: mean log-loss + α/2 · ‖w‖², which scikit-learn spells C = 1 / (α · T).

    bits [T, F], labels [T], positions int32 [F] in the packed masks. Raises ProbeError where nothing can be learned.
    """
    from sklearn.linear_model import LogisticRegression

    kept = informative(bits)
    if not kept.any() or labels.all() or not labels.any():
        raise ProbeError(f"probe {task.name}: the masks or the labels never change; use more or other audio")
    model = LogisticRegression(C=1 / (ALPHA * len(labels)), max_iter=400)
    model.fit(bits[:, kept].astype(np.float32), labels)
    return FloatProbes(
        model.coef_.T.astype(np.float64),
        model.intercept_.astype(np.float64),
        positions[kept].astype(np.int32),
        [task],
    )


def score_binary(words: NDArray[np.floating], labels: NDArray[np.bool_]) -> BinaryScores:
    """words [T] (log-odds, any positive scale), labels [T]."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

    decided = words > 0
    return BinaryScores(
        frames=len(labels),
        positive_share=float(labels.mean()),
        accuracy=float(accuracy_score(labels, decided)),
        balanced_accuracy=float(balanced_accuracy_score(labels, decided)),
        f1=float(f1_score(labels, decided)),
        auc=float(roc_auc_score(labels, words)),
    )


def save_probes(folder: Path, probes: FloatProbes, scores: dict[str, dict[str, float]], network_hash: str) -> None:
    """Add the probes to a checkpoint folder; `network_hash` names the integers they were fitted on."""
    tensors: dict[str, NDArray[np.generic]] = {
        "weight": probes.weight,
        "bias": probes.bias,
        "channel": probes.channel,
    }
    metadata = {
        "tasks": json.dumps([task.model_dump() for task in probes.tasks]),
        "bits": str(probes.bits),
        "scores": json.dumps(scores),
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
