# SPDX-License-Identifier: Apache-2.0
"""Fitting linear probes (arXiv 2602.10666, section 2.3): logistic and ridge regression with an ℓ2 penalty, α = 0.01.

Every task minimizes mean loss + α/2 · ‖w‖²: log-loss for classes, half the squared error in units of the labels'
standard deviation for a regression. α then means the same for every task and every length of audio; in
scikit-learn's words C = 1/(α · T) and Ridge(α · T).

Features are mask bits, bool [T, F], of which those that hardly ever change (std ≤ τ = 0.005) are dropped, or float,
which are z-scored over the fitting frames; constant columns are dropped. Masks should come from the integer network,
so that a probe is fitted on what the device produces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ProbeError
from dyncp.base.tasks import TAU, Task

ALPHA = 0.01
# L-BFGS needs some 20 to 100 steps on real masks.
MOST_STEPS = 1000
# Rows that `LinearProbe.words` widens to float64 at once.
BLOCK = 8192

Values = NDArray[Any]


@dataclass(frozen=True)
class LinearProbe:
    """One task: words = values @ weight + bias, in the task's unit. z-scoring is folded in.

    weight [F, O] is zero outside `kept`, bool [F]; bias [O].
    """

    task: Task
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    kept: NDArray[np.bool_]

    def words(self, values: Values) -> NDArray[np.float64]:
        """values [T, F] → words [T, O]."""
        weight = self.weight[self.kept]
        blocks = (values[start : start + BLOCK] for start in range(0, max(1, len(values)), BLOCK))
        return np.concatenate([block[:, self.kept].astype(np.float64) @ weight for block in blocks]) + self.bias


def fit(
    values: Values,
    labels: NDArray[Any],
    used: NDArray[np.bool_],
    task: Task,
    balanced: bool = False,
    alpha: float = ALPHA,
    strongest: int | None = None,
    among: NDArray[np.bool_] | None = None,
) -> LinearProbe:
    """Fit one task on values [T, F] and labels [T] of the frames `used` [T], and on the features `among`, bool [F].

    `balanced` weighs every class alike, whatever its share of the frames; a regression has no classes, and ignores
    it. With `strongest`, a first fit on all features chooses those with the largest weights, by their norm over the
    outputs, and a second one uses these alone. Raises ProbeError where nothing can be learned.
    """
    _check_labels(labels[used], task)
    scaling = _scaling(values, used, task, among)
    solve = _ridge if task.kind == "regression" else _logistic
    weight, bias = solve(scaling.apply(values, used), labels[used], task, balanced, alpha)
    if strongest is not None and len(weight) > strongest:
        order = np.argsort(-np.linalg.norm(weight, axis=1), kind="stable")
        scaling = scaling.only(order[:strongest])
        weight, bias = solve(scaling.apply(values, used), labels[used], task, balanced, alpha)
    return scaling.unfold(task, weight, bias)


def informative(bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which columns of bits [T, F] vary: std > τ."""
    share = bits.mean(axis=0)
    return np.asarray(np.sqrt(share * (1 - share)) > TAU)


def _check_labels(labels: NDArray[Any], task: Task) -> None:
    if len(labels) == 0 or (labels == labels[0]).all():
        found = "no frame has a label" if len(labels) == 0 else f"all {len(labels)} frames have the label {labels[0]}"
        raise ProbeError(f"probe {task.name}: {found}; use more or other audio, or leave the task out")


@dataclass(frozen=True)
class _Scaling:
    """Which features, bool [F], enter a fit, and as (value − mean) / spread, [F] each.

    Bits lose their mean alone. The unpenalized bias takes that back, so that the optimum stays where it is, but L-BFGS
    reaches it in a fifth to a tenth of the steps.
    """

    kept: NDArray[np.bool_]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    def apply(self, values: Values, used: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The frames and features of the fit, [frames, kept]."""
        chosen = values[np.ix_(used, self.kept)].astype(np.float32, copy=False)
        chosen -= self.mean[self.kept].astype(np.float32)
        chosen /= self.spread[self.kept].astype(np.float32)
        return chosen

    def only(self, chosen: NDArray[np.intp]) -> _Scaling:
        """Of the features that are kept, those at these positions alone."""
        kept = np.zeros_like(self.kept)
        kept[np.flatnonzero(self.kept)[chosen]] = True
        return _Scaling(kept, self.mean, self.spread)

    def unfold(self, task: Task, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> LinearProbe:
        """The probe on values as they are, from weight [kept, O] and bias [O] of scaled ones."""
        raw = np.zeros((len(self.kept), task.outputs))
        raw[self.kept] = weight / self.spread[self.kept, None]
        return LinearProbe(task, raw, bias - self.mean @ raw, self.kept)


def _scaling(values: Values, used: NDArray[np.bool_], task: Task, among: NDArray[np.bool_] | None) -> _Scaling:
    if values.dtype == np.bool_:
        chosen = values[used]
        kept, mean, spread = informative(chosen), chosen.mean(axis=0), np.ones(values.shape[1])
    else:
        mean, spread = _moments(values, used)
        # Rounding alone makes a constant column vary by a millionth of its size.
        kept = spread > 1e-6 * np.maximum(np.abs(mean), 1e-3)
    kept = kept if among is None else kept & among
    if not kept.any():
        raise ProbeError(f"probe {task.name}: the features never change; use more or other audio, or another network")
    return _Scaling(kept, mean, spread)


def _moments(values: Values, used: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation [F] of float values, in blocks, which need no copy in float64."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    rows = np.flatnonzero(used)
    for start in range(0, len(rows), BLOCK):
        scaler.partial_fit(values[rows[start : start + BLOCK]].astype(np.float64))
    return scaler.mean_, np.sqrt(scaler.var_)


Solution = tuple[NDArray[np.float64], NDArray[np.float64]]


def _ridge(values: Values, labels: NDArray[Any], task: Task, balanced: bool, alpha: float) -> Solution:
    from sklearn.linear_model import Ridge

    mean, spread = labels.mean(dtype=np.float64), labels.std(dtype=np.float64)
    model = Ridge(alpha=alpha * len(labels), solver="cholesky", copy_X=False)
    model.fit(values, ((labels - mean) / spread).astype(np.float32))
    weight = spread * model.coef_.astype(np.float64)[:, None]
    return weight, np.array([mean + spread * float(model.intercept_)])


def _logistic(values: Values, labels: NDArray[Any], task: Task, balanced: bool, alpha: float) -> Solution:
    from sklearn.linear_model import LogisticRegression

    weights = "balanced" if balanced else None
    model = LogisticRegression(C=1 / (alpha * len(labels)), max_iter=MOST_STEPS, class_weight=weights)
    model.fit(values, labels)
    weight, bias = model.coef_.T.astype(np.float64), model.intercept_.astype(np.float64)
    if task.kind == "binary":
        return weight, bias
    if len(model.classes_) == 2:
        # scikit-learn keeps the difference of two classes; each takes half of it.
        weight, bias = np.hstack([-weight, weight]) / 2, np.hstack([-bias, bias]) / 2
    return _with_absent_classes(values, weight, bias, model.classes_.astype(np.int64), task.outputs)


def _with_absent_classes(
    values: Values, weight: NDArray[np.float64], bias: NDArray[np.float64], present: NDArray[np.int64], outputs: int
) -> Solution:
    """All the task's outputs: a class without a frame gets the lowest word that any other takes, and so never wins."""
    if len(present) == outputs:
        return weight, bias
    all_weights = np.zeros((len(weight), outputs))
    all_biases = np.full(outputs, float((values @ weight.astype(np.float32) + bias).min()))
    all_weights[:, present], all_biases[present] = weight, bias
    return all_weights, all_biases
