# SPDX-License-Identifier: Apache-2.0
"""Targets that a user adds: a small Python file, or a CSV of per-frame labels (docs/targets.md)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ConfigError
from dyncp.base.tasks import Task
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.standard_tasks import STANDARD_NAMES
from dyncp.train.targets.timed_labels import read_timed_labels


@dataclass(frozen=True)
class UserTarget:
    """A task and what makes its labels."""

    task: Task
    path: Path
    make: Callable[[Stream], Any]

    def labels(self, stream: Stream) -> NDArray[Any]:
        """Labels [T]: float32 with NaN, or int16 class indices with −1, where undefined. Raises ConfigError."""
        try:
            made = np.asarray(self.make(stream))
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"{self.path}: labels: {type(error).__name__}: {error}") from error
        if made.shape != (stream.frames,) or made.dtype.kind not in "biuf":
            raise ConfigError(
                f"{self.path}: labels: returned {made.dtype} {list(made.shape)}; return one number per frame, "
                f"[{stream.frames}]"
            )
        if self.task.kind != "regression":
            return self._class_indices(made)
        if np.isinf(made).any():
            raise ConfigError(f"{self.path}: labels: returned infinite values; use NaN where a label is undefined")
        return made.astype(np.float32)

    def _class_indices(self, made: NDArray[Any]) -> NDArray[np.int16]:
        last = max(2, self.task.outputs) - 1
        if not np.isin(made, np.arange(-1, last + 1)).all():
            raise ConfigError(
                f"{self.path}: labels: a {self.task.kind} label is an index 0 to {last}, or -1: undefined"
            )
        return made.astype(np.int16)


def load_targets(paths: Sequence[Path]) -> list[UserTarget]:
    """Load each file. Raises ConfigError, also where two of them share a name."""
    targets: dict[str, UserTarget] = {}
    for path in paths:
        target = load_target(path)
        if other := targets.get(target.task.name):
            raise ConfigError(f"{path}: the name {target.task.name!r} is taken by {other.path}; choose another")
        targets[target.task.name] = target
    return list(targets.values())


def load_target(path: Path) -> UserTarget:
    """A target from `path`, Python or CSV. Raises ConfigError naming the file and the line or field.

    A Python file is run as it is: load only files that you trust.
    """
    if path.suffix not in (".py", ".csv"):
        raise ConfigError(f"{path}: a target is a .py or a .csv file (docs/targets.md)")
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    if path.suffix == ".csv":
        timed = read_timed_labels(path)
        target = UserTarget(timed.task, path, timed.labels)
    else:
        module = _run(path)
        target = UserTarget(_attribute(path, module, "TASK", Task), path, _attribute(path, module, "labels", Callable))
    if target.task.name in STANDARD_NAMES:
        raise ConfigError(f"{path}: the name {target.task.name!r} is that of a standard target; choose another")
    return target


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"dyncp_target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error
    return module


def _attribute(path: Path, module: ModuleType, name: str, kind: Any) -> Any:
    value = getattr(module, name, None)
    if not isinstance(value, kind):
        wanted = "a dyncp.base.tasks.Task" if kind is Task else "a function of a Stream that returns labels [T]"
        raise ConfigError(f"{path}: {name}: must be {wanted}")
    return value
