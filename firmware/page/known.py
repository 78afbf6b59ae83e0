# SPDX-License-Identifier: Apache-2.0
"""What known audio must give, as one hash: over every word that a frame has outside of the state."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run
from dyncp.export.integers.signals import read_out
from dyncp.firmware.page.wasm import BEAT, frame_columns


def known_hash(bundle: Bundle, pcm: Pcm) -> str:
    """That of the integer reference on int16 [n · BEAT]."""
    return hash_of(bundle, reference.run(bundle, pcm))


def hash_of(bundle: Bundle, run: Run) -> str:
    """sha256 over beats, of each the output, its frames' packed masks and the words of their rows, little endian."""
    beats = len(run.output) // BEAT
    parts = (run.output.astype("<i2"), run.masks.astype("<u4"), rows(bundle, run).astype("<i4"))
    words = np.concatenate([part.reshape(beats, -1).view(np.uint8) for part in parts], axis=1)
    return hashlib.sha256(words.tobytes()).hexdigest()


def rows(bundle: Bundle, run: Run) -> NDArray[np.int32]:
    """The words of `frame_columns`, [n, columns], of a stream from its start."""
    found: dict[str, NDArray[Any]] = {"active": run.active, "macs": run.macs}
    signals = read_out(bundle, run.signals)
    for signal, columns in zip(signals, bundle.probes.columns if bundle.probes else [], strict=True):
        name, words = signal.task.name, run.signals[:, columns]
        scores = [f"{name}_scores[{n}]" for n in range(words.shape[1])] if signal.task.classes else [f"{name}_score"]
        if signal.decisions is None:
            scores = [name]
        else:
            found[name] = signal.decisions
        found |= dict(zip(scores, words.T, strict=True))
        found[f"{name}_valid"] = signal.valid
    tasks = [signal.task for signal in signals]
    return np.stack([found[column.member] for column in frame_columns(tasks)], axis=1).astype(np.int32)
