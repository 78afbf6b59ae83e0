# SPDX-License-Identifier: Apache-2.0
"""A corpus of any sample rate as one of 16 kHz mono: an explicit step, because no other command resamples."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import to_pcm
from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import AudioError, ConfigError, NoAudioError
from dyncp.train.corpora.composition import is_composition
from dyncp.train.corpora.corpus import read_parts
from dyncp.train.corpora.files.listing import files_below, holds_no_audio, is_audio
from dyncp.train.corpora.files.staging import staged
from dyncp.train.corpora.shards import is_sharded

# Samples per write: libsndfile's Vorbis encoder overflows its stack on a whole long file.
BLOCK = 65_536


@dataclass(frozen=True)
class Conversion:
    """What became of the files of a corpus."""

    resampled: int
    copied: int
    saturated: int
    """Resampled files in which at least one sample exceeded full scale."""
    left_out: tuple[str, ...] = ()
    """Files with the name of audio that hold none, and why: copied as they are, and passed over in every use."""


class Resampled(NamedTuple):
    signal: NDArray[np.float64]
    format: str


def convert_corpus(
    source: Path, target: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> Conversion:
    """Write `target`, whole or not at all: every file of the corpus `source` under its own name.

    Audio of another rate or of several channels is mixed down and resampled (soxr, very high quality) and keeps its
    format; everything else is copied, but for what macOS and others leave among the files. `progress` hears of files
    done and in total. Raises ConfigError or AudioError naming the file.
    """
    if is_composition(source) or is_sharded(source):
        raise ConfigError(
            f"{source}: is no folder of recordings; convert those that it is composed of, or use --shards"
        )
    read_parts(source)
    files = [path.relative_to(source) for path in files_below(source)]
    outcomes: list[str] = []
    with staged(target) as complete, ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for outcome in pool.map(lambda name: _convert(source / name, complete / name), files):
                outcomes.append(outcome)
                progress(len(outcomes), len(files))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    saturated, copied = outcomes.count("saturated"), outcomes.count("copied")
    resampled = outcomes.count("resampled")
    left_out = tuple(o for o in outcomes if o not in ("saturated", "copied", "resampled"))
    return Conversion(resampled + saturated, copied + len(left_out), saturated, left_out)


def _convert(source: Path, target: Path) -> str:
    """What became of a file, or why it is no audio."""
    import soundfile

    target.parent.mkdir(parents=True, exist_ok=True)
    if not is_audio(source):
        shutil.copyfile(source, target)
        return "copied"
    try:
        found = read_resampled(source)
    except NoAudioError as error:
        shutil.copyfile(source, target)
        return str(error)
    if found is None:
        shutil.copyfile(source, target)
        return "copied"
    signal, container = found
    subtype = "VORBIS" if container == "OGG" else "PCM_16"
    try:
        with soundfile.SoundFile(target, "w", SAMPLE_RATE, 1, subtype, format=container) as file:
            for start in range(0, len(signal), BLOCK):
                file.write(to_pcm(signal[start : start + BLOCK]))
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{target}: cannot be written: {error}") from None
    return "saturated" if np.abs(signal).max() > 1 else "resampled"


def read_resampled(source: Path) -> Resampled | None:
    """A file mixed down and brought to 16 kHz, in [−1, 1) but for overshoot; None where it is so already.

    Raises AudioError naming the file.
    """
    import soundfile

    try:
        info = soundfile.info(source)
        if (info.samplerate, info.channels) == (SAMPLE_RATE, 1) and info.frames:
            return None
        data, rate = soundfile.read(source, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        kind = NoAudioError if holds_no_audio(source) else AudioError
        raise kind(f"{source}: cannot be converted: {error}") from None
    if len(data) == 0:
        raise NoAudioError(f"{source}: holds no samples")
    if not np.isfinite(data).all():
        raise AudioError(f"{source}: holds samples that are not finite numbers")
    return Resampled(_resample(data.mean(axis=1), rate), info.format)


def _resample(signal: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    import soxr

    return np.asarray(soxr.resample(signal, rate, SAMPLE_RATE, quality="VHQ"))
