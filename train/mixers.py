# SPDX-License-Identifier: Apache-2.0
"""What a training draws its clips from: a corpus's training and validation recordings, held in memory."""

from __future__ import annotations

from dyncp.train.clip_labels import noise_categories, source_classes
from dyncp.train.config import Config
from dyncp.train.corpus import Corpus, read_all
from dyncp.train.mixing import Mixer


def load_mixers(corpus: Corpus, config: Config) -> tuple[Mixer, Mixer]:
    """(training, validation), with the classes of their sources where gates and read-outs are trained jointly.

    Where utilization is asked for by kind of frame, they mark speech.

    Raises ConfigError for a corpus that lacks speech or noise in one of the splits, AudioError for a bad file.
    """
    categories = noise_categories(corpus)

    def mixer(part: Corpus) -> Mixer:
        classes = source_classes(part, categories) if config.training.auxiliary_weight > 0 else None
        marks_speech, period = config.training.by_kind is not None, config.training.auxiliary_period
        return Mixer(read_all(part.speech), read_all(part.noise), config.mixing, classes, marks_speech, period)

    return mixer(corpus.split("train")), mixer(corpus.split("validation"))
