# SPDX-License-Identifier: Apache-2.0
"""Signals as named arrays with their units, one value a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dyncp.export.integers.signals import Signal as TaskSignal
from dyncp.export.integers.signals import columns, has_flag

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Signal:
    """One signal over n frames."""

    name: str
    unit: str
    """Of `values`: dB, Hz, MOS; `log-odds` or `score` of classes."""
    values: NDArray[np.float64]
    """[n]; of a signal with classes their scores, [n, classes]."""
    valid: NDArray[np.bool_]
    """Where the value means something, [n]: pitch, for example, where somebody speaks."""
    decisions: NDArray[Any] | None
    """[n]: bool of a yes-or-no signal, the class's name of one with classes; None of a number."""
    classes: tuple[str, ...] = ()

    @classmethod
    def of(cls, signal: TaskSignal) -> Signal:
        task, decided = signal.task, signal.decisions
        if decided is not None:
            decided = np.array(task.classes)[decided] if task.classes else decided.astype(np.bool_)
        values = signal.values if task.kind == "multiclass" else signal.values[:, 0]
        return cls(task.name, task.unit, values, signal.valid, decided, tuple(task.classes))


class Signals(Mapping[str, Signal]):
    """Name → signal, of n consecutive frames."""

    def __init__(self, signals: Sequence[TaskSignal], times: NDArray[np.float64]) -> None:
        self.times = times
        """Seconds from the start of the audio to each frame's, [n]."""
        self._tasks = list(signals)
        self._signals = {signal.task.name: Signal.of(signal) for signal in signals}

    def __getitem__(self, name: str) -> Signal:
        if name not in self._signals:
            raise KeyError(f"{name}: this network has {', '.join(self._signals) or 'no signals'}")
        return self._signals[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __len__(self) -> int:
        return len(self._signals)

    def __repr__(self) -> str:
        described = ", ".join(f"{signal.name} ({signal.unit})" for signal in self._signals.values())
        return f"<Signals of {len(self.times)} frames: {described}>"

    def columns(self) -> dict[str, NDArray[Any]]:
        """Column → [n]: the columns of the CSV of `dyncp enhance`, as numbers, names of classes and bools."""
        filled: list[NDArray[Any]] = []
        for task in self._tasks:
            signal = self._signals[task.task.name]
            filled += list(task.values.T)
            filled += [] if signal.decisions is None else [signal.decisions]
            filled += [signal.valid] if has_flag(task.task) else []
        return dict(zip(columns([task.task for task in self._tasks]), filled, strict=True))

    def to_pandas(self) -> pd.DataFrame:
        """A data frame of `columns`, indexed by time in seconds; `attrs["units"]` has the units. Needs pandas."""
        import pandas as pd

        frame = pd.DataFrame(self.columns(), index=pd.Index(self.times, name="time_s"))
        frame.attrs["units"] = {signal.name: signal.unit for signal in self._signals.values()}
        return frame
