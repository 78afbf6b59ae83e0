# SPDX-License-Identifier: Apache-2.0
"""Labels of training clips, for joint training of gates and probes (train/losses/auxiliary.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.train.corpora.recordings import Corpus
from dyncp.train.targets.frames import snr_db, voice_activity
from dyncp.train.targets.pitch import COARSE, pitch_hz

GENDERS = ("F", "M")
UNKNOWN = -1


@dataclass
class ClipLabels:
    """speech, bool [B, T]; snr, dB [B, T]; pitch, Hz [B, T], 0 where there is none; gender and category, int64 [B]."""

    speech: Tensor
    snr: Tensor
    pitch: Tensor
    gender: Tensor
    category: Tensor

    def to(self, device: torch.device) -> ClipLabels:
        return ClipLabels(**{name: tensor.to(device) for name, tensor in vars(self).items()})


@dataclass(frozen=True)
class SourceClasses:
    """Class index of each speech recording's gender and of each noise recording's category; −1 where unknown."""

    genders: tuple[int, ...]
    categories: tuple[int, ...]


def noise_categories(corpus: Corpus) -> list[str]:
    return sorted({recording.category for recording in corpus.noise})


def source_classes(part: Corpus, categories: list[str]) -> SourceClasses:
    """The classes of one split; `categories` are those of the whole corpus, in order."""
    return SourceClasses(
        tuple(GENDERS.index(r.gender) if r.gender in GENDERS else UNKNOWN for r in part.speech),
        tuple(categories.index(r.category) for r in part.noise),
    )


def clip_labels(
    clips: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
    genders: list[int],
    categories: list[int],
    framing: Framing = STANDARD,
) -> ClipLabels:
    """Of (clean, noisy) clips of one length. A second noise, being the weaker one, does not count for the category."""
    pitch = [np.nan_to_num(pitch_hz(clean, COARSE, framing)) for clean, _ in clips]
    return ClipLabels(
        torch.from_numpy(np.stack([voice_activity(clean, framing) for clean, _ in clips])),
        torch.from_numpy(np.stack([snr_db(clean, noisy - clean, framing) for clean, noisy in clips])).float(),
        torch.from_numpy(np.stack(pitch)).float(),
        torch.tensor(genders),
        torch.tensor(categories),
    )
