# SPDX-License-Identifier: Apache-2.0
"""How good a probe's words are on frames that it was not fitted on (arXiv 2602.10666, section 2.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ProbeError
from dyncp.base.tasks import Task


class Score(StrictModel):
    """None where a figure does not apply to the task, or is not defined on these frames."""

    frames: int
    majority: float | None = None
    """Share of the commonest class: what a constant answer is right on."""
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    f1: float | None = None
    """Of speech, gender … being 1; of a multiclass task the mean over the classes."""
    auc: float | None = None
    """Area under the ROC curve; of a multiclass task the mean over the classes, each against the rest."""
    r2: float | None = None
    mae: float | None = None
    """In the task's unit, like the next three."""
    rmse: float | None = None
    mae_iqr: float | None = None
    """On the frames whose true value lies between the quartiles, both included: without the tails."""
    rmse_iqr: float | None = None


def score(words: NDArray[Any], labels: NDArray[Any], used: NDArray[np.bool_], task: Task) -> Score:
    """words [T, O] in the task's unit, labels [T], on the frames `used` [T].

    A class is decided by word > 0 (binary) or by the largest word. Raises ProbeError where no frame is used.
    """
    if not used.any():
        raise ProbeError(f"probe {task.name}: no frame to score it on has a label; use more or other audio")
    words, labels = words[used].astype(np.float64), labels[used]
    if task.kind == "regression":
        return _regression(words[:, 0], labels.astype(np.float64))
    return _classes(words, labels.astype(np.int64), task)


def _classes(words: NDArray[np.float64], labels: NDArray[np.int64], task: Task) -> Score:
    from sklearn.metrics import accuracy_score, f1_score

    binary = task.kind == "binary"
    decided = (words[:, 0] > 0).astype(np.int64) if binary else words.argmax(axis=1)
    present, counts = np.unique(labels, return_counts=True)
    options = {"average": "binary"} if binary else {"average": "macro", "labels": present}
    return Score(
        frames=len(labels),
        majority=float(counts.max() / len(labels)),
        accuracy=float(accuracy_score(labels, decided)),
        # As scikit-learn's, which warns where a class is decided that the labels lack.
        balanced_accuracy=float(np.mean([(decided[labels == k] == k).mean() for k in present])),
        f1=float(f1_score(labels, decided, zero_division=0.0, **options)),
        auc=_auc(words, labels, present, binary),
    )


def _auc(
    words: NDArray[np.float64], labels: NDArray[np.int64], present: NDArray[np.int64], binary: bool
) -> float | None:
    from scipy.special import logsumexp
    from sklearn.metrics import roc_auc_score

    if len(present) < 2:
        return None
    if binary:
        return float(roc_auc_score(labels, words[:, 0]))
    # Log-odds of a class against all others: the order of its softmax probability, without its rounding to 1.
    odds = [words[:, k] - logsumexp(np.delete(words, k, axis=1), axis=1) for k in present]
    return float(np.mean([roc_auc_score(labels == k, column) for k, column in zip(present, odds, strict=True)]))


def _regression(words: NDArray[np.float64], labels: NDArray[np.float64]) -> Score:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    low, high = np.quantile(labels, (0.25, 0.75))
    inner = (low <= labels) & (labels <= high)
    return Score(
        frames=len(labels),
        r2=float(r2_score(labels, words)) if np.ptp(labels) > 0 else None,
        mae=float(mean_absolute_error(labels, words)),
        rmse=float(root_mean_squared_error(labels, words)),
        mae_iqr=float(mean_absolute_error(labels[inner], words[inner])) if inner.any() else None,
        rmse_iqr=float(root_mean_squared_error(labels[inner], words[inner])) if inner.any() else None,
    )
