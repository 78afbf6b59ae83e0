# SPDX-License-Identifier: Apache-2.0
"""`resume.safetensors`: what a training goes on with after its last finished epoch. No pickle here either.

A safetensors file whose metadata holds the epoch, the configuration, the best epoch so far where one is known, and a
seal: the sha256 of the file with the seal's own digits zero, so that any changed byte is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from dyncp.base.config.experiment import Config
from dyncp.base.config.reading import parse
from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.base.files import replace_file
from dyncp.base.files.reading import parse_json, read_limited

RESUME = "resume.safetensors"

LARGEST_RESUME = 1 << 33
"""Bytes: weights, their average and two moments of each, of the largest network, and more."""

_SEAL = re.compile(rb'"seal":"([0-9a-f]{64})"')
_OPEN = "0" * 64


@dataclass(frozen=True)
class Best:
    """The best epoch so far (train/fitting/course.py)."""

    epoch: int
    objective: float


@dataclass(frozen=True)
class Resumable:
    """A training after an epoch. Names of tensors begin with `network.`, `readout.`, `average.` or `optimizer.`."""

    epoch: int
    config: Config
    tensors: Mapping[str, Tensor]
    best: Best | None = None

    def under(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `prefix`, by the rest of their names."""
        return {name.removeprefix(prefix): t for name, t in self.tensors.items() if name.startswith(prefix)}


def write_resume(folder: Path, training: Resumable) -> None:
    """Whole or not at all, as all files. Raises CheckpointError where it cannot be written."""
    metadata = {"epoch": str(training.epoch), "config": training.config.model_dump_json(), "seal": _OPEN}
    if training.best is not None:
        metadata["best"] = json.dumps(asdict(training.best), allow_nan=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in training.tensors.items()}
    data = safetensors.torch.save(tensors, metadata)
    found = _SEAL.search(data)
    assert found is not None
    place = slice(*found.span(1))
    sealed = b"".join((data[: place.start], _digest(data, place), data[place.stop :]))
    replace_file(folder / RESUME, sealed, CheckpointError)


def read_resume(folder: Path) -> Resumable:
    """Raises CheckpointError, naming the file, where there is none and for what any changed byte makes of it."""
    path = folder / RESUME
    data = read_limited(path, LARGEST_RESUME, CheckpointError, "; there is no finished epoch to resume from")
    found = _SEAL.search(data)
    if found is None:
        raise CheckpointError(
            f"{path}: has no seal: altered, cut short, or written by dyncp 0.2.0 or earlier, which is brought up to "
            f"date by python -m dyncp.train.network.seal {folder}"
        )
    if _digest(data, slice(*found.span(1))) != found[1]:
        raise CheckpointError(
            f"{path}: altered: its bytes are not those that its seal was made of; restore it, or train on from the "
            f"checkpoint with --start {folder} and another --out"
        )
    return _parse(data, path)


def seal_resume(folder: Path) -> None:
    """Give the resume file of an earlier version its seal; one that has it must fit. Raises CheckpointError."""
    path = folder / RESUME
    data = read_limited(path, LARGEST_RESUME, CheckpointError)
    if _SEAL.search(data) is None:
        write_resume(folder, _parse(data, path))
    read_resume(folder)


def _digest(data: bytes, seal: slice) -> bytes:
    view, digest = memoryview(data), hashlib.sha256()
    for part in (view[: seal.start], _OPEN.encode(), view[seal.stop :]):
        digest.update(part)
    return digest.hexdigest().encode()


def _parse(data: bytes, path: Path) -> Resumable:
    try:
        tensors = safetensors.torch.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
        epoch, text = int(metadata["epoch"]), metadata["config"].encode()
        best = Best(**json.loads(metadata["best"])) if "best" in metadata else None
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: cannot be resumed from: {error}") from None
    try:
        config = parse(Config, parse_json(text, path, CheckpointError), f"{path}: config")
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    return Resumable(epoch, config, tensors, best)
