# SPDX-License-Identifier: Apache-2.0
"""What a training draws its clips from: a corpus's training and validation recordings."""

from __future__ import annotations

from dyncp.base.config.experiment import Config
from dyncp.train.corpora.recordings import Corpus, Split
from dyncp.train.corpora.sources import read_sources
from dyncp.train.mixing.clips import Mixer
from dyncp.train.mixing.rooms import rooms
from dyncp.train.targets.clip_labels import noise_categories, source_classes


def load_mixers(corpus: Corpus, config: Config) -> tuple[Mixer, Mixer]:
    """(training, validation), with the classes of their sources where gates and read-outs are trained jointly.

    Where utilization is asked for by kind of frame, they mark speech.

    Raises ConfigError for a corpus that lacks speech or noise in one of the splits, that of the test included, before
    anything is read, so that a training of hours ends in a network that can be tested; AudioError for a bad file.
    """
    corpus.require("train", "validation", "test")
    categories = noise_categories(corpus)

    def mixer(split: Split) -> Mixer:
        sources = read_sources(corpus.split(split))
        classes = source_classes(sources.corpus, categories) if config.training.auxiliary_weight > 0 else None
        period, framing = config.training.auxiliary_period, config.network.framing
        return Mixer(
            sources.speech,
            sources.noise,
            config.mixing,
            classes,
            config.training.speech_below,
            period,
            framing,
            rooms(config.mixing.rooms, split, framing.rate),
        )

    return mixer("train"), mixer("validation")
