# SPDX-License-Identifier: Apache-2.0
"""Streams whose masks and labels are planted, so that it is known what each addition must gain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import BINS, HOP
from dyncp.base.tasks import VOICE_ACTIVITY, Task
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.observation import Observation
from dyncp.train.streams.streams import Stream


def switching(frames: int, seed: int, hold: int = 40, share: float = 0.5) -> NDArray[np.bool_]:
    """A truth that stays for `hold` frames and is then drawn anew."""
    drawn = np.random.default_rng(seed).random(-(-frames // hold)) < share
    return np.repeat(drawn, hold)[:frames]


def planted(
    masks: NDArray[np.bool_], speech: NDArray[np.bool_], task: Task = VOICE_ACTIVITY, labels: NDArray | None = None
) -> ProbeData:
    """A silent stream whose one block shows masks [T, F], with voice activity [T] and one task's labels [T]."""
    frames = len(masks)
    silence = np.zeros(frames * HOP, np.int16)
    observation = Observation(
        masks=masks[:, None, :],
        scores=masks[:, None, :].astype(np.float32),
        suppression=np.zeros((frames, BINS), np.float32),
        log_magnitude=np.full((frames, BINS), -5.0, np.float32),
        output=silence,
    )
    truth = {"vad": speech.astype(np.int16)}
    if labels is not None:
        truth[task.name] = labels
    return ProbeData(Stream(silence, silence, silence, (), ()), observation, truth, [task])
