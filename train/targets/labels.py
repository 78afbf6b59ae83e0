# SPDX-License-Identifier: Apache-2.0
"""All labels of a stream at frame resolution: the ground truth of the tasks of train/targets/standard_tasks.py."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.errors import AudioError, ConfigError
from dyncp.train.pieces import Work
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.frames import snr_db, voice_activity
from dyncp.train.targets.pitch import stream_pitch
from dyncp.train.targets.quality import MeasureName, frame_quality
from dyncp.train.targets.standard_tasks import STANDARD_NAMES, Classes

Labels = NDArray[np.int16] | NDArray[np.float32]
UNDEFINED = -1


def make_labels(
    stream: Stream,
    output: Pcm,
    classes: Classes,
    wanted: Collection[str],
    cache: Path | None = None,
    n_jobs: int = -1,
    progress: bool = True,
) -> dict[str, NDArray[Any]]:
    """The wanted labels by name, each [T]: float32 with NaN, or int16 class indices with −1, where undefined.

    `output` is the enhanced stream, aligned with the input. `cache` is a folder that keeps what takes long (SI-SDR,
    PESQ, F0), piece by piece. Raises ConfigError for an unknown name, AudioError for an output of another length.
    """
    if unknown := set(wanted) - set(STANDARD_NAMES):
        raise ConfigError(f"targets {sorted(unknown)}: unknown; the targets are {', '.join(STANDARD_NAMES)}")
    if output.shape != stream.noisy.shape:
        raise AudioError(f"enhanced output: {list(output.shape)} samples, the stream has {list(stream.noisy.shape)}")
    truth = Truth(stream, output, classes, Work(cache, n_jobs, progress))
    return {name: MAKERS[name](truth) for name in STANDARD_NAMES if name in wanted}


@dataclass(frozen=True)
class Truth:
    """What all labels are made from."""

    stream: Stream
    output: Pcm
    classes: Classes
    work: Work

    @cached_property
    def speech(self) -> NDArray[np.bool_]:
        """Voice activity, bool [T]: each recording by its own level, nothing between them."""
        framing, active = self.stream.framing, np.zeros(self.stream.frames, np.bool_)
        for segment in self.stream.speech:
            frames = framing.within(segment.samples, self.stream.frames)
            clean = self.stream.clean[frames.start * framing.hop : frames.stop * framing.hop]
            if len(clean):
                active[frames] = voice_activity(clean / 32768, framing)
        return active

    def snr(self, noise: NDArray[Any]) -> NDArray[np.float32]:
        return snr_db(self.stream.clean / 32768, noise / 32768, self.stream.framing).astype(np.float32)

    def residual(self) -> NDArray[np.int32]:
        """What of the enhanced signal is not the clean speech: noise left over, and speech damaged or lost."""
        return self.output.astype(np.int32) - self.stream.clean

    def quality(self, name: MeasureName, estimate: Pcm) -> NDArray[np.float32]:
        return frame_quality(name, self.stream.clean, estimate, self.speech, self.work, self.stream.framing)


def class_indices(names: NDArray[np.str_], classes: Sequence[str]) -> NDArray[np.int16]:
    """Position of each frame's name among the classes, [T]; −1 for a name that is none of them."""
    distinct, inverse = np.unique(names, return_inverse=True)
    index = {name: position for position, name in enumerate(classes)}
    return np.array([index.get(str(name), UNDEFINED) for name in distinct], np.int16)[inverse]


MAKERS: dict[str, Callable[[Truth], Labels]] = {
    "vad": lambda truth: truth.speech.astype(np.int16),
    "gender": lambda truth: class_indices(truth.stream.genders(), truth.classes.genders),
    "accent": lambda truth: class_indices(truth.stream.accents(), truth.classes.accents),
    "noise": lambda truth: class_indices(truth.stream.noise_categories(), truth.classes.categories),
    "snr_in": lambda truth: truth.snr(truth.stream.noise),
    "snr_out": lambda truth: truth.snr(truth.residual()),
    "si_sdr": lambda truth: truth.quality("si_sdr", truth.stream.noisy),
    "pesq": lambda truth: truth.quality("pesq", truth.stream.noisy),
    "f0": lambda truth: stream_pitch(
        truth.stream.clean, truth.stream.speech, truth.stream.frames, truth.work, truth.stream.framing
    ),
    "si_sdr_out": lambda truth: truth.quality("si_sdr", truth.output),
    "pesq_out": lambda truth: truth.quality("pesq", truth.output),
}
