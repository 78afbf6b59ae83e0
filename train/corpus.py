# SPDX-License-Identifier: Apache-2.0
"""Corpora: which recordings there are, whose they are, and which split they belong to.

A corpus is a folder with `speech.csv` (file, speaker, gender, accent, source, license, duration_s) and `noise.csv`
(file, category, source, license, duration_s), or a folder with `speech/` and `noise/` holding WAV or FLAC files: there
the speaker and the noise category are the name of the folder that a file lies in. VoiceBank+DEMAND is read as published
(train/voicebank.py).

Splits share no speaker and no noise recording. A column `split` (train, validation, test) sets them; without it they
follow from a hash of the speaker or the recording.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np

from dyncp.train.audio import SUFFIXES, Pcm, read_pcm
from dyncp.train.errors import AudioError, ConfigError

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


def load_corpus(folder: Path, redistributable: bool = False) -> Corpus:
    """Read a corpus folder; `redistributable` keeps only files whose licence lets a trained network be passed on.

    Raises ConfigError naming the file and the line or field.
    """
    from dyncp.train.voicebank import is_voicebank, read_voicebank

    if is_voicebank(folder):
        speech, noise = read_voicebank(folder)
    elif (folder / "speech.csv").is_file() and (folder / "noise.csv").is_file():
        speech = [_speech(folder, row) for row in _rows(folder / "speech.csv", {"file", "speaker", "license"})]
        noise = [_noise(folder, row) for row in _rows(folder / "noise.csv", {"file", "category", "license"})]
    elif (folder / "speech").is_dir() and (folder / "noise").is_dir():
        speech = [Recording(p, p.parent.name, "unknown") for p in _audio_files(folder / "speech")]
        noise = [Recording(p, p.stem, "unknown", category=p.parent.name) for p in _audio_files(folder / "noise")]
    else:
        raise ConfigError(
            f"{folder}: holds neither speech.csv and noise.csv, nor folders speech/ and noise/, nor VoiceBank+DEMAND"
        )
    for kind, recordings in (("speech", speech), ("noise", noise)):
        if not recordings:
            raise ConfigError(f"{folder}: lists no {kind}")
    if redistributable:
        speech = [r for r in speech if is_redistributable(r.license)]
        noise = [r for r in noise if is_redistributable(r.license)]
    return Corpus(tuple(speech), tuple(noise))


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


def _rows(path: Path, required: set[str]) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := required - set(reader.fieldnames or ()):
            raise ConfigError(f"{path}: lacks the column {', '.join(sorted(missing))}")
        rows = list(reader)
    for line, row in enumerate(rows, start=2):
        if not (path.parent / row["file"]).is_file():
            raise ConfigError(f"{path}, line {line}: no such file: {row['file']}")
        if row.get("split", "") not in ("", *get_args(Split)):
            raise ConfigError(f"{path}, line {line}: split is {row['split']!r}, not one of {get_args(Split)}")
    return rows


def _speech(folder: Path, row: dict[str, str]) -> Recording:
    return Recording(
        folder / row["file"],
        row["speaker"],
        row["license"],
        gender=row.get("gender", "U"),
        accent=row.get("accent", ""),
        fixed_split=_split(row),
    )


def _noise(folder: Path, row: dict[str, str]) -> Recording:
    return Recording(
        folder / row["file"],
        _original(row),
        row["license"],
        category=row["category"],
        fixed_split=_split(row),
    )


def _split(row: dict[str, str]) -> Split | None:
    return cast(Split, row["split"]) if row.get("split") else None


def _original(row: dict[str, str]) -> str:
    """The original noise recording: its Freesound number where one is stated, else the file's own name."""
    found = re.search(r"(?:fsID |freesound |/sounds/)(\d+)", row.get("source", "") + " " + row["license"])
    return f"freesound {found[1]}" if found else Path(row["file"]).stem


def _audio_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
