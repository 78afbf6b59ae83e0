# SPDX-License-Identifier: Apache-2.0
"""A target of your own: how loud the speaker is, whatever the noise (docs/targets.md).

    cp -r train/checkpoints/steady my-network             # its probes are replaced
    dyncp export my-network my-bundle --corpus build/demo/corpus
    dyncp probe my-network my-bundle --corpus build/demo/corpus --minutes 2 --signals vad --target examples/level.py
    dyncp generate my-bundle my-firmware/dyncp           # dyncp_signals has the field `level`, in Qn dBFS

Two minutes of the demo's voices show that it works; a product fits on 30 minutes of a real corpus.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.tasks import Task
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.frames import window_rms

TASK = Task(name="level", kind="regression", outputs=1, unit="dBFS", frames="speech")
"""Fitted and scored on frames with speech; the name becomes the field of the C struct."""


def labels(stream: Stream) -> NDArray[np.float64]:
    """One number per frame of 16 ms, [frames]; NaN would mark a frame without a label."""
    return 20 * np.log10(window_rms(stream.clean / 32768) + 1e-9)
