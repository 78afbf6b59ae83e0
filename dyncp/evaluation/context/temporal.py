# SPDX-License-Identifier: Apache-2.0
"""Temporal context around a probe: smoothed words, votes over frames, past masks as features, late answers.

All of it is causal: frame t uses frames up to t.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dyncp.base.tasks import Task

Words = NDArray[np.float64]
Bits = NDArray[np.bool_]


def one_pole(words: Words, k: int) -> Words:
    """y[t] = y[t−1] + 2⁻ᵏ · (word[t] − y[t−1]) on words [T, O], from y = 0.

    The device's recursion, y += (256 · word − y) >> k and (y + 128) >> 8, equals it up to rounding.
    """
    from scipy.signal import lfilter

    coefficient = 2.0**-k
    return np.asarray(lfilter([coefficient], [1.0, coefficient - 1.0], words, axis=0))


def majority(words: Words, task: Task, n: int) -> Words:
    """Votes of the last n frames' decisions, as words again: [T, 1] votes for minus half, or [T, classes] votes.

    At the start only the frames that exist vote. A tie between classes goes to the first of them.
    """
    binary = task.kind == "binary"
    votes = np.where(words > 0, 0.5, -0.5) if binary else np.eye(task.outputs)[np.argmax(words, axis=1)]
    total = np.cumsum(votes, axis=0)
    total[n:] -= total[:-n].copy()
    return np.asarray(total)


def with_past(masks: Bits, delays: Sequence[int], columns: NDArray[np.intp]) -> Bits:
    """Masks [T, F] and beside them, for each delay d, their `columns` of d frames ago; zero before the start."""
    past = masks[:, columns]
    return np.concatenate([masks, *(np.pad(past, ((d, 0), (0, 0)))[: len(past)] for d in delays)], axis=1)


def late(labels: NDArray[np.generic], used: Bits, frames: int) -> tuple[NDArray[np.generic], Bits]:
    """Labels [T] and used frames [T] of `frames` frames ago: what a probe answers that is allowed that latency."""
    return np.roll(labels, frames), np.pad(used, (frames, 0))[: len(used)]


def without_priors(words: Words, labels: NDArray[np.generic], used: Bits, task: Task) -> Words:
    """Words less the log prior of each class in the fitting frames: logit adjustment, a change of biases alone."""
    classes = 2 if task.kind == "binary" else task.outputs
    counts = np.bincount(labels[used].astype(np.int64), minlength=classes)
    log_prior = np.log(np.maximum(counts, 1) / counts.sum())
    return np.asarray(words - (log_prior[1] - log_prior[0] if task.kind == "binary" else log_prior))


def flips(bits: Bits) -> float:
    """How many of bits [T, F] change from one frame to the next, in the mean: the additions per output."""
    return float(np.count_nonzero(bits[1:] != bits[:-1]) / max(1, len(bits) - 1))
