# SPDX-License-Identifier: Apache-2.0
"""A user's own folders: `speech/SPEAKER/…/*.wav` and `noise/CATEGORY/*.wav` or `noise/CATEGORY/RECORDING/*.wav`.

The first folder is the speaker or the category, however deep the files lie below it (LibriSpeech's chapters do); files
in a folder below the category are one recording by several microphones, and so are `ch01.wav` and its like. Before the
first folder, one may name the split (`speech/train/…`), and of speech one the gender (`speech/female/…`), where all
folders beside it do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.files.listing import audio_files, folders_in, recording_of
from dyncp.train.corpora.layouts import demand
from dyncp.train.corpora.layouts.tables import GENDERS, SPLITS
from dyncp.train.corpora.recordings import Recording, Split

GENDER_FOLDERS = {name: gender for name, gender in GENDERS.items() if gender != "U"}


class Place(NamedTuple):
    """What the folders above a file say; `inner` are those from the speaker or category down."""

    split: Split | None
    gender: str
    inner: tuple[str, ...]


def read_speech_folder(folder: Path, without: set[Path]) -> list[Recording]:
    """All but what lies in the folders `without`. Raises ConfigError for files that lie in no speaker's folder."""
    found = [(path, _place(folder, path, "SPEAKER")) for path in _files(folder, without)]
    return [Recording(p, at.inner[0], "unknown", gender=at.gender, fixed_split=at.split) for p, at in found]


def read_noise_folder(folder: Path, without: set[Path]) -> list[Recording]:
    """All but what lies in the folders `without`. Raises ConfigError for files that lie in no category's folder."""
    return [_noise(path, _place(folder, path, "CATEGORY")) for path in _files(folder, without)]


def _files(folder: Path, without: set[Path]) -> list[Path]:
    _names_in.cache_clear()
    return [path for path in audio_files(folder) if without.isdisjoint(path.parents)]


def _noise(path: Path, at: Place) -> Recording:
    if path.parent.name in demand.PLACES:
        return demand.recording(path, at.split)
    group = "/".join(at.inner) if len(at.inner) > 1 else recording_of(path)
    return Recording(path, group, "unknown", category=at.inner[0], fixed_split=at.split)


def _place(folder: Path, path: Path, wanted: str) -> Place:
    parts = path.relative_to(folder).parent.parts
    split: Split | None = None
    gender = "U"
    # A train is a noise as well: a lone folder of that name is the category.
    if len(parts) > 1 and _are_all(folder, SPLITS, 1 if wanted == "SPEAKER" else 2):
        split, folder, parts = SPLITS[parts[0].lower()], folder / parts[0], parts[1:]
    if len(parts) > 1 and wanted == "SPEAKER" and _are_all(folder, GENDER_FOLDERS, 1):
        gender, folder, parts = GENDER_FOLDERS[parts[0].lower()], folder / parts[0], parts[1:]
    if not parts:
        raise ConfigError(
            f"{path}: lies one level too high; the name of its folder tells the {wanted.lower()}: "
            f"{folder / wanted / path.name}"
        )
    return Place(split, gender, parts)


def _are_all(folder: Path, names: Mapping[str, object], least: int) -> bool:
    """Whether all folders in a folder have such names, so that they are no speakers and no categories."""
    found = _names_in(folder)
    return len(found) >= least and found <= names.keys()


@cache
def _names_in(folder: Path) -> frozenset[str]:
    return frozenset(path.name.lower() for path in folders_in(folder))
