# SPDX-License-Identifier: Apache-2.0
"""What the benches of this folder run: a bundle of the user's or a shipped one, and noisy speech of the demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import HOP
from dyncp.base.paths import find_bundle
from dyncp.export.formats.bundle import Bundle, read_bundle
from dyncp.train.corpora.demo_corpus import build_demo_corpus
from dyncp.train.streams.demo import SECONDS, noisy_speech

CORPUS = Path("build/bench/corpus")


def shipped(bundle: Path, frames: int) -> tuple[Bundle, NDArray[np.int16]]:
    """The bundle, by name or folder, and int16 PCM [frames · 256] of the demo."""
    noisy = noisy_speech(build_demo_corpus(CORPUS), SECONDS).noisy[: frames * HOP]
    return read_bundle(find_bundle(bundle)), noisy
