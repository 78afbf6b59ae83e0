# SPDX-License-Identifier: Apache-2.0
"""Fixed (clean, noisy) pairs for calibration, evaluation and probes: the same for the same corpus, split and seed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from dyncp.base.audio import Pcm, to_pcm
from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.config.mixing import MixingConfig
from dyncp.train.corpora.audible import SPEECH, TRIES, Audible
from dyncp.train.corpora.recordings import Corpus, Split
from dyncp.train.corpora.sources import Sources, read_sources
from dyncp.train.mixing.clips import Clip, Mixer
from dyncp.train.mixing.rooms import rooms

# No equalization, no speed change, one noise: what a listener meets, at the usual corpus level.
EVALUATION = MixingConfig(
    clip_s=6.0, snr_db=(-5, 15), level_dbfs=(-26, -26), noise_only=0, second_noise=0, eq_db=0, speed=0
)
# The same mixtures, each in a room.
IN_ROOMS = EVALUATION.model_copy(update={"rooms": 1.0})
# Levels, and silence, as a device meets them.
EVERYDAY = EVALUATION.model_copy(update={"clip_s": 8.0, "level_dbfs": (-40.0, -10.0), "noise_only": 0.1})

# Noisy clips of EVERYDAY from the training split that scales are found with.
CALIBRATION_CLIPS = 24

log = logging.getLogger(__name__)

SEEDS: dict[Split, int] = {"train": 101, "validation": 102, "test": 103}


@dataclass(frozen=True)
class Pair:
    """Clean and noisy speech of the same length and rate, int16; level_dbfs is that of the active speech."""

    clean: Pcm
    noisy: Pcm
    snr_db: float
    level_dbfs: float
    name: str = ""
    """Whose speech in which noise, for messages."""

    def at_level(self, dbfs: float) -> Pair:
        """The same with the noisy speech at another level, saturated as a converter does; the clean speech stays.

        No metric of dyncp/base/metrics.py asks for the level of the clean speech.
        """
        gain = 10 ** ((dbfs - self.level_dbfs) / 20)
        return replace(self, noisy=to_pcm(self.noisy * (gain / 32768)), level_dbfs=dbfs)


def make_pairs(
    corpus: Corpus, split: Split, count: int, mixing: MixingConfig = EVALUATION, framing: Framing = STANDARD
) -> list[Pair]:
    """`count` mixtures of one split's speakers and noises; fewer, and said so, where its speech is too sparse.

    Each is a whole number of the framing's hops; hops that divide 256 have the same audio. An 8 kHz network
    hears the stretches that one of 16 kHz hears, with levels and SNRs of what is left below 4 kHz.

    Raises ConfigError where the split is empty or holds nothing that can be mixed, AudioError for a bad file.
    """
    sources = read_sources(corpus.split(split))
    heard_in = rooms(mixing.rooms, split, framing.rate)
    mixer = Mixer(sources.speech, sources.noise, mixing, framing=framing, rooms=heard_in)
    rng = np.random.default_rng(SEEDS[split])
    clips = [_scorable_clip(mixer, rng) for _ in range(count)]
    if missing := clips.count(None):
        log.warning("%d of %d mixtures left out: their speakers pause for longer than a clip", missing, count)
    return [_pair(clip, sources) for clip in clips if clip is not None]


def _scorable_clip(mixer: Mixer, rng: np.random.Generator) -> Clip | None:
    """A clip that is meant to hold no speech, or holds enough of it for a metric."""
    clip = mixer.clip(rng)
    if _is_scorable(clip, mixer.rate):
        return clip
    # Drawn anew by generators of their own, so that the clips after this one stay what they were.
    return next((again for again in map(mixer.clip, rng.spawn(TRIES)) if _is_scorable(again, mixer.rate)), None)


def _is_scorable(clip: Clip, rate: int) -> bool:
    return clip.snr_db == -np.inf or Audible.of(to_pcm(clip.clean), SPEECH, rate).total >= SPEECH.least


def _pair(clip: Clip, sources: Sources) -> Pair:
    speech, noise = sources.corpus.speech[clip.speech].label, sources.corpus.noise[clip.noise].label
    level_dbfs = float(20 * np.log10(clip.level))
    return Pair(to_pcm(clip.clean), to_pcm(clip.noisy), clip.snr_db, level_dbfs, f"{speech} in {noise}")
