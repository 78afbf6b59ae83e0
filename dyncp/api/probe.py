# SPDX-License-Identifier: Apache-2.0
"""A probe of one's own labels, in the manner of scikit-learn: fit and predict on masks, then on the device.

Needs scikit-learn, and for the way into a network torch: the extra `train` has both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dyncp.base.errors import ProbeError
from dyncp.base.tasks import Period, Task
from dyncp.export.formats.bundle import Bundle, Probes
from dyncp.export.formats.masks import channel_bits
from dyncp.export.formats.probe_set import restrict

if TYPE_CHECKING:
    from dyncp.train.probes.linear import LinearProbe

Masks = NDArray[np.bool_]

PARAMETERS = ("name", "unit", "smoothing", "balanced", "alpha", "period")


class MaskProbe:
    """A linear probe on pruning masks: logistic regression of classes, ridge regression of numbers.

    `fit` sees by the labels which: bools and 0 or 1 are a yes-or-no signal, texts are classes, all else is a number in
    `unit`. `smoothing` k makes the device average its words by one pole of 2^-k, and `period` 2, 4, 8 or 16 does that,
    and decides, in one frame of so many; `predict` does neither. `balanced` weighs all classes alike. `alpha` is the ℓ2
    penalty per frame.
    """

    def __init__(
        self,
        name: str = "own",
        unit: str = "",
        smoothing: int = 0,
        balanced: bool = False,
        alpha: float = 0.01,
        period: Period = 1,
    ) -> None:
        self.name, self.unit, self.smoothing, self.period = name, unit, smoothing, period
        self.balanced, self.alpha = balanced, alpha
        self._fitted: LinearProbe | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """As scikit-learn asks for them."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def set_params(self, **parameters: Any) -> Self:
        """Raises ValueError for a parameter that there is not."""
        for name, value in parameters.items():
            if name not in PARAMETERS:
                raise ValueError(f"{name} is no parameter of MaskProbe; these are {', '.join(PARAMETERS)}")
            setattr(self, name, value)
        return self

    def fit(self, masks: Masks, labels: ArrayLike) -> Self:
        """Fit on masks [n, blocks, channels] of `Result.masks`, and a label for each frame; NaN is no label.

        Raises ProbeError where nothing can be learned from them.
        """
        from dyncp.train.probes.linear import fit

        values = _flat(masks)
        given = np.asarray(labels)
        if given.shape != (len(values),):
            raise ProbeError(
                f"probe {self.name}: labels have the shape {list(given.shape)}, the masks {len(values)} frames"
            )
        task, coded = self._task(given)
        used = np.isfinite(coded) if task.kind == "regression" else np.ones(len(values), np.bool_)
        self._fitted = fit(values, coded, used, task, self.balanced, self.alpha)
        return self

    def predict(self, masks: Masks) -> NDArray[Any]:
        """[n]: bools, names of classes, or numbers."""
        fitted, words = self.fitted, self.decision_function(masks)
        if fitted.task.kind == "regression":
            return words
        if fitted.task.kind == "binary":
            return np.asarray(words > 0)
        return np.asarray(np.array(fitted.task.classes)[words.argmax(axis=1)])

    def decision_function(self, masks: Masks) -> NDArray[np.float64]:
        """Log-odds [n], scores [n, classes], or numbers [n]."""
        words = self.fitted.words(_flat(masks))
        return words if self.fitted.task.kind == "multiclass" else words[:, 0]

    def score(self, masks: Masks, labels: ArrayLike) -> float:
        """Share of frames that are right, or R² of numbers."""
        predicted, given = self.predict(masks), np.asarray(labels)
        if self.fitted.task.kind != "regression":
            return float(np.mean(predicted == given))
        used = np.isfinite(given)
        rest, spread = given[used] - predicted[used], given[used] - given[used].mean()
        return float(1 - (rest @ rest) / (spread @ spread))

    @property
    def fitted(self) -> LinearProbe:
        """Weights and bias. Raises ProbeError before `fit`."""
        if self._fitted is None:
            raise ProbeError(f"probe {self.name}: fit it first")
        return self._fitted

    def _task(self, labels: NDArray[Any]) -> tuple[Task, NDArray[Any]]:
        """What the labels are, and the labels as numbers."""
        if labels.dtype == np.bool_ or (labels.dtype.kind in "iu" and set(np.unique(labels)) <= {0, 1}):
            return self._described("binary", 1, "log-odds", []), labels.astype(np.int64)
        if labels.dtype.kind in "US":
            classes, coded = np.unique(labels.astype(str), return_inverse=True)
            if len(classes) < 2:
                raise ProbeError(f"probe {self.name}: all labels are {classes[0] if len(classes) else 'missing'!r}")
            return self._described("multiclass", len(classes), "log-odds", classes.tolist()), coded
        return self._described("regression", 1, self.unit, []), labels.astype(np.float64)

    def _described(
        self, kind: Literal["binary", "multiclass", "regression"], outputs: int, unit: str, classes: list[str]
    ) -> Task:
        shape = {"outputs": outputs, "unit": unit, "classes": classes}
        timing = {"smoothing": self.smoothing, "period": self.period}
        return Task.model_validate({"name": self.name, "kind": kind, **shape, **timing})


def _flat(masks: Masks) -> Masks:
    array = np.asarray(masks)
    if array.dtype != np.bool_ or array.ndim != 3:
        raise ProbeError(
            f"masks are {array.dtype} {list(array.shape)}; give those of a result, bool [frames, blocks, N]"
        )
    return array.reshape(len(array), -1)


def added(bundle: Bundle, probes: Sequence[MaskProbe]) -> Probes | None:
    """The bundle's probes and these, in integers of 16 bits where they take some. Raises QuantizationError."""
    from dyncp.export.quantization.probes import quantize_probes
    from dyncp.train.probes.files import combine

    if not probes:
        return bundle.probes
    fitted = [probe.fitted for probe in probes]
    positions = channel_bits(bundle.config).reshape(-1)
    new = quantize_probes(combine(fitted, positions), 16)
    names = {task.name for task in new.tasks}
    kept = [task.name for task in (bundle.probes.tasks if bundle.probes else []) if task.name not in names]
    old = restrict(bundle.probes, kept)
    return new if old is None else _joined(old, new)


def _joined(first: Probes, second: Probes) -> Probes:
    """One set over the union of the bits that both weigh."""
    channel = np.union1d(first.channel, second.channel)
    dtype = np.promote_types(first.weight.dtype, second.weight.dtype)
    weight = np.zeros((len(channel), len(first.bias) + len(second.bias)), dtype)
    weight[np.searchsorted(channel, first.channel), : len(first.bias)] = first.weight
    weight[np.searchsorted(channel, second.channel), len(first.bias) :] = second.weight
    bias = np.concatenate([first.bias, second.bias])
    return Probes(weight, bias, channel.astype(np.int32), [*first.tasks, *second.tasks])
