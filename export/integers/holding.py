# SPDX-License-Identifier: Apache-2.0
"""What is not made in every frame, gates (docs/arithmetic.md, section 6) and signals (9), and what holds in between."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig

Values = TypeVar("Values", bound=np.generic)


def decisions(config: NetworkConfig, group: int, frames: int) -> slice:
    """The frames of a stream's first `frames` in which a group's gate decides."""
    return slice(group % config.gate_period, frames, config.gate_period)


def held(decided: NDArray[Values], when: slice, frames: int) -> NDArray[Values]:
    """Decisions [d, …] at the frames `when` to what holds in every frame, [frames, …]: zero before the first.

    `when` starts within its first step, as those of `decisions` do.
    """
    last = (np.arange(frames) - when.start) // when.step
    padded = np.concatenate([np.zeros((1, *decided.shape[1:]), decided.dtype), decided])
    return np.asarray(padded[last + 1])


def until_next(values: NDArray[Values], period: int, frames: int) -> NDArray[Values]:
    """What is made in every `period`th frame, from the first one on, as it holds in each: [frames, …]."""
    return held(values, slice(0, frames, period), frames)


def only_then(decided: NDArray[Values], when: slice, frames: int) -> NDArray[Values]:
    """Decisions [d, …] at the frames `when`, zero in all others, [frames, …]."""
    everywhere = np.zeros((frames, *decided.shape[1:]), decided.dtype)
    everywhere[when] = decided
    return everywhere
