# SPDX-License-Identifier: Apache-2.0
"""Long computations cut into pieces: in parallel through joblib, with a progress bar, each result cached by content.

A user with a cluster wraps the call in `joblib.parallel_config("dask")` or another joblib backend.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.files import replace_file


@dataclass(frozen=True)
class Piece:
    """One call of a module-level function, which returns an array. Arguments are arrays, numbers and strings.

    `version` rises whenever the function's result changes.
    """

    function: Callable[..., NDArray[Any]]
    version: int
    arguments: tuple[Any, ...]

    @property
    def key(self) -> str:
        """sha256 of all that the result depends on."""
        digest = hashlib.sha256(f"{self.function.__qualname__} {self.version}".encode())
        for argument in self.arguments:
            if isinstance(argument, np.ndarray):
                digest.update(f" {argument.dtype.str} {argument.shape} ".encode())
                digest.update(np.ascontiguousarray(argument).data)
            else:
                digest.update(f" {argument!r} ".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Work:
    """How pieces are computed. `cache` is a folder, or None to keep nothing; `n_jobs` as in joblib, −1 being all cores.

    A killed run resumes: what its cache holds is not computed again.
    """

    cache: Path | None = None
    n_jobs: int = -1
    progress: bool = True

    def run(self, pieces: Sequence[Piece], title: str) -> list[NDArray[Any]]:
        """The result of each piece, in order."""
        if self.cache is None:
            return self._compute(pieces, [None] * len(pieces), title)
        self.cache.mkdir(parents=True, exist_ok=True)
        paths = [self.cache / f"{piece.key}.npy" for piece in pieces]
        results = {path: _load(path) for path in paths}
        missing = {path: piece for path, piece in zip(paths, pieces, strict=True) if results[path] is None}
        computed = self._compute(list(missing.values()), list(missing), title)
        results.update(zip(missing, computed, strict=True))
        return [found for path in paths if (found := results[path]) is not None]

    def _compute(self, pieces: Sequence[Piece], paths: Sequence[Path | None], title: str) -> list[NDArray[Any]]:
        import rich
        from joblib import Parallel, delayed
        from rich.console import Console
        from rich.progress import Progress

        if not pieces:
            return []
        calls = (delayed(piece.function)(*piece.arguments) for piece in pieces)
        results = []
        console = Console(stderr=True, quiet=rich.get_console().quiet)
        with Progress(console=console, transient=True, disable=not self.progress) as bar:
            arriving = Parallel(n_jobs=self.n_jobs, return_as="generator")(calls)
            for path, result in zip(paths, bar.track(arriving, total=len(pieces), description=title), strict=True):
                if path is not None:
                    _save(path, result)
                results.append(result)
        return results


def _save(path: Path, array: NDArray[Any]) -> None:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    replace_file(path, file.getvalue())


def _load(path: Path) -> NDArray[Any] | None:
    """None where the entry is missing or damaged: it is computed again then."""
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None
