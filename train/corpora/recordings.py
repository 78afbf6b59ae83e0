# SPDX-License-Identifier: Apache-2.0
"""Recordings of a corpus: whose they are, which split they belong to, whether they may be passed on, and their samples.

Splits share no speaker and no noise recording. A corpus may set them; without that they follow from a hash of the
speaker or of the original recording (splits.py sees to it that every recording of a group follows it).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm, read_pcm
from dyncp.base.errors import AudioError, ConfigError

Split = Literal["train", "validation", "test"]

VALIDATION_SHARE = 0.08
TEST_SHARE = 0.12


class Stretch(NamedTuple):
    """Samples `first` to `first + samples` of a shard (shards.py)."""

    first: int
    samples: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One file. `group` is what must not be shared between splits: a speaker, or one original noise recording.

    With `minus`, the recording is the difference `path` − `minus`: the noise of a (noisy, clean) pair. With `shard`, it
    is a stretch of the samples in `path`. `origin` is where a user finds it, for messages: a line of a table, or the
    file that a shard was made of.
    """

    path: Path
    group: str
    license: str
    gender: str = "U"
    accent: str = ""
    category: str = ""
    fixed_split: Split | None = None
    minus: Path | None = None
    shard: Stretch | None = None
    origin: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """What a message calls it."""
        return self.origin if self.shard else str(self.path)

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
        for kind, mine, whole in (("speech", part.speech, self.speech), ("noise", part.noise, self.noise)):
            if not mine:
                raise ConfigError(f"corpus: its split `{name}` holds no {kind}; {_remedy(kind, whole)}")
        return part

    def require(self, *names: Split) -> None:
        """Raises ConfigError where one of these splits is empty: told when work begins, not after hours."""
        for name in names:
            self.split(name)


def _remedy(kind: str, recordings: Iterable[Recording]) -> str:
    groups = len({recording.group for recording in recordings})
    of = "speakers" if kind == "speech" else "noise recordings"
    return f"it has {groups} {of}; three are enough for three splits, unless its tables or folders name other splits"


def hash_position(group: str) -> float:
    """Where a group lies in [0, 1): its place depends on its name alone."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) / 2**32


def is_redistributable(license_name: str) -> bool:
    """Apache, BSD, MIT, CC BY, CC BY-SA, CC0 or public domain, and neither non-commercial nor no-derivatives."""
    name = license_name.lower()
    return bool(re.match(r"(apache|bsd|cc by|cc0|mit\b|public domain)", name)) and not re.search(r"-(nc|nd)\b", name)


def read_recording(recording: Recording) -> Pcm:
    """int16 [samples], saturated where a difference needs it; of a shard, a view of the file.

    Raises AudioError naming the file.
    """
    if recording.shard is not None:
        return mapped(recording.path, np.dtype("<i2"))[recording.shard.first :][: recording.shard.samples]
    pcm = read_pcm(recording.path)
    if recording.minus is None:
        return pcm
    return difference(recording, pcm, read_pcm(recording.minus))


def difference(recording: Recording, pcm: Pcm, other: Pcm) -> Pcm:
    """`path` − `minus`, saturated. Raises AudioError where their lengths differ."""
    if len(other) != len(pcm):
        raise AudioError(f"{recording.path}: has {len(pcm)} samples, but its partner {recording.minus} {len(other)}")
    return np.asarray(np.clip(pcm.astype(np.int32) - other, -32768, 32767), dtype=np.int16)


@cache
def mapped(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A file as an array that is read as needed. Raises AudioError naming it."""
    try:
        return np.memmap(path, dtype, mode="r")
    except (OSError, ValueError) as error:
        raise AudioError(f"{path}: cannot be mapped into memory: {error}") from None


def read_all(recordings: Iterable[Recording]) -> list[Pcm]:
    return [read_recording(recording) for recording in recordings]
