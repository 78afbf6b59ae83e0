# SPDX-License-Identifier: Apache-2.0
"""The tasks of the paper's Table 1 (arXiv 2602.10666) for the classes that a corpus has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dyncp.base.errors import ConfigError
from dyncp.base.tasks import PESQ, PITCH, SI_SDR, SNR_IN, SNR_OUT, VOICE_ACTIVITY, Task, classes_task
from dyncp.train.corpora.recordings import Corpus

# A class of one speaker would be that speaker's voice, not a gender or an accent.
SPEAKERS_PER_CLASS = 2
# Task.outputs allows no more.
MOST_CLASSES = 64

SI_SDR_OUT = SI_SDR.model_copy(update={"name": "si_sdr_out"})
PESQ_OUT = PESQ.model_copy(update={"name": "pesq_out"})
FIXED = (VOICE_ACTIVITY, SNR_IN, SNR_OUT, SI_SDR, PESQ, PITCH)
ON_REQUEST = (SI_SDR_OUT, PESQ_OUT)

TABLE_1 = ("vad", "gender", "accent", "noise", "snr_in", "snr_out", "si_sdr", "pesq", "f0")
STANDARD_NAMES = (*TABLE_1, *(task.name for task in ON_REQUEST))


@dataclass(frozen=True)
class Classes:
    """Names of the classes of each task that has some, sorted; a name is the corpus's text as it is."""

    genders: tuple[str, ...]
    accents: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def of(cls, train: Corpus) -> Classes:
        """The classes of a training split. Genders and accents need two speakers, categories one recording."""
        genders = _with_speakers((r.gender, r.group) for r in train.speech)
        accents = _with_speakers((r.accent, r.group) for r in train.speech)
        return cls(genders, accents, tuple(sorted({r.category for r in train.noise if is_known(r.category)})))

    def named(self, task: str) -> tuple[str, ...]:
        """The classes of the task `gender`, `accent` or `noise`."""
        return {"gender": self.genders, "accent": self.accents, "noise": self.categories}[task]

    def left_out(self) -> dict[str, str]:
        """Why a task of Table 1 cannot be had from this corpus, by its name."""
        columns = {"gender": ("gender", "speech"), "accent": ("accent", "speech"), "noise": ("category", "noise")}
        reasons = {}
        for task, (column, kind) in columns.items():
            names = self.named(task)
            needed = f"of {SPEAKERS_PER_CLASS} or more speakers " if kind == "speech" else ""
            remedy = f"fill the column `{column}` of {kind}.csv or add recordings"
            if len(names) < 2:
                found = f"only {names[0]!r}" if names else "none"
                reasons[task] = f"{task}: needs two classes {needed}in the training split, has {found}; {remedy}"
            elif len(names) > MOST_CLASSES:
                reasons[task] = f"{task}: {len(names)} classes, more than {MOST_CLASSES}; join some in `{column}`"
        return reasons


def standard_tasks(classes: Classes, names: Collection[str] | None = None) -> list[Task]:
    """The tasks of Table 1 that the corpus has classes for (`Classes.left_out` says why one is missing), in its order.

    `names` chooses instead among those and `si_sdr_out`, `pesq_out`, the same measures of the enhanced signal. Raises
    ConfigError for a name that is unknown or that the corpus has no classes for.
    """
    left_out = classes.left_out()
    if names is None:
        names = [name for name in TABLE_1 if name not in left_out]
    for name in names:
        if name not in STANDARD_NAMES:
            raise ConfigError(f"target {name!r}: unknown; the targets are {', '.join(STANDARD_NAMES)}")
        if name in left_out:
            raise ConfigError(f"target {left_out[name]}")
    tasks = {task.name: task for task in (*FIXED, *ON_REQUEST)}
    tasks |= {
        task: classes_task(task, list(classes.named(task)), "all" if task == "noise" else "speech")
        for task in ("gender", "accent", "noise")
        if task not in left_out
    }
    return [tasks[name] for name in STANDARD_NAMES if name in names]


def is_known(name: str) -> bool:
    """Whether a metadata entry says something: not empty, `U`, nor “unknown…” or “unspecified…”."""
    return name.strip() not in ("", "U") and not re.match(r"\s*(unknown|unspecified)", name, re.IGNORECASE)


def _with_speakers(entries: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Known names, sorted, that have enough different speakers, given (name, speaker) pairs."""
    speakers: dict[str, set[str]] = defaultdict(set)
    for name, speaker in entries:
        if is_known(name):
            speakers[name].add(speaker)
    return tuple(sorted(name for name, group in speakers.items() if len(group) >= SPEAKERS_PER_CLASS))
