# SPDX-License-Identifier: Apache-2.0
"""Recordings of a corpus: whose they are, which split they belong to, whether they may be passed on, and their samples.

Splits share no speaker and no noise recording. A corpus may set them; without that they follow from a hash of the
speaker or of the original recording.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dyncp.base.audio import Pcm, read_pcm
from dyncp.base.errors import AudioError, ConfigError

Split = Literal["train", "validation", "test"]

VALIDATION_SHARE = 0.08
TEST_SHARE = 0.12


@dataclass(frozen=True)
class Recording:
    """One file. `group` is what must not be shared between splits: a speaker, or one original noise recording.

    With `minus`, the recording is the difference `path` − `minus`: the noise of a (noisy, clean) pair.
    """

    path: Path
    group: str
    license: str
    gender: str = "U"
    accent: str = ""
    category: str = ""
    fixed_split: Split | None = None
    minus: Path | None = None

    @property
    def split(self) -> Split:
        """As the corpus says; else by a hash of the group, so that it depends on nothing else in the corpus."""
        if self.fixed_split is not None:
            return self.fixed_split
        position = hash_position(self.group)
        if position < TEST_SHARE:
            return "test"
        return "validation" if position < TEST_SHARE + VALIDATION_SHARE else "train"


@dataclass(frozen=True)
class Corpus:
    speech: tuple[Recording, ...]
    noise: tuple[Recording, ...]

    def split(self, name: Split) -> Corpus:
        """Only the speakers and the noise recordings of one split. Raises ConfigError if one kind is empty."""
        part = Corpus(tuple(r for r in self.speech if r.split == name), tuple(r for r in self.noise if r.split == name))
        for kind, recordings in (("speech", part.speech), ("noise", part.noise)):
            if not recordings:
                raise ConfigError(f"corpus: its split `{name}` holds no {kind}; add speakers or recordings")
        return part


def hash_position(group: str) -> float:
    """Where a group lies in [0, 1): its place depends on its name alone."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) / 2**32


def is_redistributable(license_name: str) -> bool:
    """CC BY, CC BY-SA, CC0, BSD or public domain, and neither non-commercial nor no-derivatives."""
    name = license_name.lower()
    return bool(re.match(r"(cc by|cc0|bsd|public domain)", name)) and not re.search(r"-(nc|nd)\b", name)


def read_recording(recording: Recording) -> Pcm:
    """int16 [samples], saturated where a difference needs it. Raises AudioError naming the file."""
    pcm = read_pcm(recording.path)
    if recording.minus is None:
        return pcm
    other = read_pcm(recording.minus)
    if len(other) != len(pcm):
        raise AudioError(f"{recording.path}: has {len(pcm)} samples, but its partner {recording.minus} {len(other)}")
    return np.asarray(np.clip(pcm.astype(np.int32) - other, -32768, 32767), dtype=np.int16)


def read_all(recordings: Iterable[Recording]) -> list[Pcm]:
    return [read_recording(recording) for recording in recordings]
