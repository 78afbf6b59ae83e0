# SPDX-License-Identifier: Apache-2.0
"""Fixed (clean, noisy) pairs for calibration, evaluation and probes: the same for the same corpus, split and seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dyncp.base.audio import Pcm, to_pcm
from dyncp.base.config import MixingConfig
from dyncp.train.corpora.recordings import Corpus, Split
from dyncp.train.corpora.sources import read_sources
from dyncp.train.mixing.clips import Mixer

# No equalization, no speed change, one noise: what a listener meets, at the usual corpus level.
EVALUATION = MixingConfig(
    clip_s=6.0, snr_db=(-5, 15), level_dbfs=(-26, -26), noise_only=0, second_noise=0, eq_db=0, speed=0
)
# Levels, and silence, as a device meets them.
EVERYDAY = EVALUATION.model_copy(update={"clip_s": 8.0, "level_dbfs": (-40.0, -10.0), "noise_only": 0.1})

# Noisy clips of EVERYDAY from the training split that scales are found with.
CALIBRATION_CLIPS = 24

SEEDS: dict[Split, int] = {"train": 101, "validation": 102, "test": 103}


@dataclass(frozen=True)
class Pair:
    """Clean and noisy speech of the same length, int16; level_dbfs is that of the active speech."""

    clean: Pcm
    noisy: Pcm
    snr_db: float
    level_dbfs: float

    def at_level(self, dbfs: float) -> Pair:
        """The same with the noisy speech at another level, saturated as a converter does; the clean speech stays.

        No metric of dyncp/base/metrics.py asks for the level of the clean speech.
        """
        gain = 10 ** ((dbfs - self.level_dbfs) / 20)
        return replace(self, noisy=to_pcm(self.noisy * (gain / 32768)), level_dbfs=dbfs)


def make_pairs(corpus: Corpus, split: Split, count: int, mixing: MixingConfig = EVALUATION) -> list[Pair]:
    """`count` mixtures of one split's speakers and noises."""
    sources = read_sources(corpus.split(split))
    mixer = Mixer(sources.speech, sources.noise, mixing)
    rng = np.random.default_rng(SEEDS[split])
    pairs = []
    for _ in range(count):
        clip = mixer.clip(rng)
        pairs.append(Pair(to_pcm(clip.clean), to_pcm(clip.noisy), clip.snr_db, float(20 * np.log10(clip.level))))
    return pairs
