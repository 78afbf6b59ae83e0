# SPDX-License-Identifier: Apache-2.0
"""`make soak`: half an hour of noise without a reset leaves nothing behind (docs/evaluation.md).

The host build of the C equals the NumPy reference in every word, and the minute of noise that the stream began with,
heard again at its end, gives the same words again. Without a bundle: the shipped checkpoints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dyncp.base.audio import read_pcm, to_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.paths import CHECKPOINTS
from dyncp.export.formats.bundle import Bundle, read_bundle, write_bundle
from dyncp.firmware.host.library import host_library
from dyncp.firmware.proof.soak import Soak, soak

OUT = Path("build/soak")
MINUTE = 60 * SAMPLE_RATE // HOP * HOP
LEVEL_DBFS = -30.0

Pcm = NDArray[np.int16]


def noise(seed: int) -> Pcm:
    """A minute of pink noise."""
    white = np.random.default_rng(seed).standard_normal(MINUTE)
    spectrum = np.fft.rfft(white) / np.sqrt(np.arange(MINUTE // 2 + 1) + 1)
    pink = np.fft.irfft(spectrum, n=MINUTE)
    return to_pcm(pink * 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(pink**2)))


def audio(minutes: int, file: Path | None) -> list[Pcm]:
    """`minutes` segments, the last of them the first: of noise, or of the file's audio over and over."""
    if file is None:
        segments = [noise(seed) for seed in range(minutes - 1)]
    else:
        segments = np.split(np.resize(read_pcm(file), (minutes - 1) * MINUTE), minutes - 1)
    return [*segments, segments[0]]


def bundles(folder: Path | None) -> Iterator[tuple[str, Bundle]]:
    if folder is not None:
        yield str(folder), read_bundle(folder)
        return
    from dyncp.export.quantization.from_checkpoint import quantize_checkpoint
    from dyncp.train.corpora.corpus import load_corpus
    from dyncp.train.corpora.demo_corpus import build_demo_corpus
    from dyncp.train.mixing.pairs import EVERYDAY, make_pairs
    from dyncp.train.network.checkpoint import load_checkpoint

    corpus = load_corpus(build_demo_corpus(OUT / "corpus"))
    calibration = [pair.noisy for pair in make_pairs(corpus, "train", 8, EVERYDAY)]
    for name in ("paper", "signals", "steady", "small", "ears", "tiny"):
        checkpoint = load_checkpoint(CHECKPOINTS / name)
        bundle = quantize_checkpoint(checkpoint, lambda: calibration)
        write_bundle(bundle, OUT / name)
        yield name, bundle


def show(console: Console, name: str, result: Soak) -> None:
    table = Table("minute", "output, dBFS", "active", "mean probe word", "words unlike the reference's", title=name)
    for minute, figures in enumerate(result.segments, start=1):
        cells = (f"{figures.level_dbfs:.3f}", f"{figures.utilization:.4%}", f"{figures.mean_word:.2f}")
        table.add_row(str(minute), *cells, str(figures.mismatches))
    console.print(table)
    console.print(f"{result.compared} frames of the first minute heard again at the end: {result.drifted} words differ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", help="folder of `dyncp export`")
    parser.add_argument("--minutes", type=int, default=30, help="3 or more")
    parser.add_argument("--audio", type=Path, help="this instead of pink noise, over and over")
    arguments = parser.parse_args()
    if arguments.minutes < 3:
        parser.error("--minutes must be 3 or more: the first, another one, and the first again")
    console = Console()
    segments = audio(arguments.minutes, arguments.audio)
    steady = True
    for name, bundle in bundles(arguments.bundle):
        with host_library(bundle) as library, Progress(console=console, transient=True) as progress:
            bar = progress.add_task(name, total=len(segments))
            result = soak(bundle, library, segments, partial(progress.advance, bar))
        show(console, name, result)
        steady = steady and result.steady
    return 0 if steady else 1


if __name__ == "__main__":
    sys.exit(main())
