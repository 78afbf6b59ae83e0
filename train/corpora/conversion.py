# SPDX-License-Identifier: Apache-2.0
"""A corpus of any sample rate as one of 16 kHz mono: an explicit step, because no other command resamples."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import SUFFIXES, to_pcm
from dyncp.base.config import SAMPLE_RATE
from dyncp.base.errors import AudioError, ConfigError
from dyncp.train.corpora.corpus import load_corpus

# Samples per write: libsndfile's Vorbis encoder overflows its stack on a whole long file.
BLOCK = 65_536


@dataclass(frozen=True)
class Conversion:
    """What became of the files of a corpus."""

    resampled: int
    copied: int
    saturated: int
    """Resampled files in which at least one sample exceeded full scale."""


def convert_corpus(
    source: Path, target: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> Conversion:
    """Write `target`, whole or not at all: every file of the corpus `source` under its own name.

    Audio of another rate or of several channels is mixed down and resampled (soxr, very high quality) and keeps its
    format; everything else is copied. `progress` hears of files done and in total. Raises ConfigError or AudioError
    naming the file.
    """
    load_corpus(source)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target}: exists already; choose an empty folder")
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    outcomes: list[str] = []
    try:
        complete = staging / "new"
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                for outcome in pool.map(lambda name: _convert(source / name, complete / name), files):
                    outcomes.append(outcome)
                    progress(len(outcomes), len(files))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        os.replace(complete, target)
    finally:
        shutil.rmtree(staging)
    saturated = outcomes.count("saturated")
    return Conversion(outcomes.count("resampled") + saturated, outcomes.count("copied"), saturated)


def _convert(source: Path, target: Path) -> str:
    import soundfile

    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix.lower() not in SUFFIXES:
        shutil.copyfile(source, target)
        return "copied"
    try:
        info = soundfile.info(source)
        if (info.samplerate, info.channels) == (SAMPLE_RATE, 1):
            shutil.copyfile(source, target)
            return "copied"
        data, rate = soundfile.read(source, dtype="float64", always_2d=True)
        if len(data) == 0 or not np.isfinite(data).all():
            raise AudioError(f"{source}: holds no samples, or some that are not finite numbers")
        signal = _resample(data.mean(axis=1), rate)
        subtype = "VORBIS" if info.format == "OGG" else "PCM_16"
        with soundfile.SoundFile(target, "w", SAMPLE_RATE, 1, subtype, format=info.format) as file:
            for start in range(0, len(signal), BLOCK):
                file.write(to_pcm(signal[start : start + BLOCK]))
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{source}: cannot be converted: {error}") from None
    return "saturated" if np.abs(signal).max() > 1 else "resampled"


def _resample(signal: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    import soxr

    return np.asarray(soxr.resample(signal, rate, SAMPLE_RATE, quality="VHQ"))
