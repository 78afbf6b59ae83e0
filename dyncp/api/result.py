# SPDX-License-Identifier: Apache-2.0
"""What comes out of a network: audio, signals, masks and work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.api.signals import Signals
from dyncp.api.sound import Samples
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers.run import Run
from dyncp.export.integers.signals import read_out


@dataclass(frozen=True)
class Result:
    """Of n frames, 16 ms each but for networks of other frames."""

    audio: Samples
    """Enhanced, in the rate and dtype of the input."""
    rate: int
    """Of `audio`, Hz."""
    signals: Signals
    masks: NDArray[np.bool_]
    """Which channels were computed, [n, blocks, channels]."""
    macs: NDArray[np.int64]
    """Multiply–accumulates of each frame, [n]."""

    @property
    def times(self) -> NDArray[np.float64]:
        """Seconds from the start of the audio to each frame's, [n]."""
        return self.signals.times


def make_result(bundle: Bundle, run: Run, audio: Samples, rate: int, before: int = 0) -> Result:
    """From the integers of a run, whose stream had `before` frames already."""
    times = (before + np.arange(run.frames, dtype=np.float64)) / bundle.config.framing.frames_per_second
    signals = Signals(read_out(bundle, run.signals, before), times)
    return Result(audio, rate, signals, unpack_masks(run.masks, bundle.config), run.macs)


def empty_run(bundle: Bundle) -> Run:
    """No frames."""
    words = np.zeros((0, bundle.probe_outputs), np.int32)
    none = np.zeros(0, np.int64)
    masks = np.zeros((0, bundle.config.mask_words), np.uint32)
    return Run(np.zeros(0, np.int16), masks, words, words, none, none)
