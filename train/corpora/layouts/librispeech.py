# SPDX-License-Identifier: Apache-2.0
"""LibriSpeech (OpenSLR 12, 16 kHz) and LibriTTS or LibriTTS-R (OpenSLR 60 and 141, 24 kHz) as they are unpacked.

    LibriSpeech/SPEAKERS.TXT    LibriSpeech/train-clean-100/103/1240/103-1240-0000.flac …
    LibriTTS/SPEAKERS.txt       LibriTTS/train-clean-100/103/1241/103_1241_000000_000001.wav …    LibriTTS/speakers.tsv

SPEAKERS.TXT has `ID | SEX | SUBSET | MINUTES | NAME` behind comments that begin with `;`; speakers.tsv has the columns
READER GENDER SUBSET NAME, the last of which most lines split at tabs of their own. The folder may be that of a subset.
"""

from __future__ import annotations

import re
from pathlib import Path

from dyncp.train.corpora.files.listing import audio_files, folders_in
from dyncp.train.corpora.files.text import read_published
from dyncp.train.corpora.recordings import Recording, Split
from dyncp.train.corpora.splits import published_split

LICENSE = "CC BY 4.0"
SUBSET = re.compile(r"(train|dev|test)-(clean|other)(-\d+)?")
SPLITS: dict[str, Split] = {"train": "train", "dev": "validation", "test": "test"}
TABLES = ("SPEAKERS.TXT", "SPEAKERS.txt", "speakers.txt", "speakers.tsv")


def is_librispeech(folder: Path) -> bool:
    return bool(_subsets(folder))


def read_librispeech(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """Speech alone. A reader is known by the number that LibriVox gave them, in every corpus made of its books."""
    subsets = _subsets(folder)
    genders = _read_genders([folder, folder.parent])
    present = {_split(subset) for subset in subsets}
    speech = []
    for subset in subsets:
        for path in audio_files(subset):
            reader = path.relative_to(subset).parts[0]
            group = librivox_reader(reader)
            split = published_split(_split(subset), group, present)
            gender = genders.get(reader, "U")
            speech.append(Recording(path, group, LICENSE, gender=gender, fixed_split=split))
    return speech, []


def librivox_reader(number: str) -> str:
    """One name for a reader of LibriVox, however many zeros a corpus puts before the number."""
    return f"LibriVox {number.lstrip('0') or '0'}"


def _subsets(folder: Path) -> list[Path]:
    """The subsets in a folder, or the folder itself where it is one; a subset has SPEAKER/CHAPTER folders of digits."""
    named = [path for path in [folder, *folders_in(folder)] if SUBSET.fullmatch(path.resolve().name)]
    return [path for path in named if any(inner.name.isdigit() for inner in folders_in(path))]


def _split(subset: Path) -> Split:
    return SPLITS[subset.resolve().name.partition("-")[0]]


def _read_genders(folders: list[Path]) -> dict[str, str]:
    """Reader's number → F or M, from the first table that is there."""
    table = next((folder / name for folder in folders for name in TABLES if (folder / name).is_file()), None)
    if table is None:
        return {}
    genders = {}
    for line in read_published(table).splitlines():
        if line.startswith(";"):
            continue
        fields = [field.strip() for field in re.split(r"[|\t]", line)]
        if len(fields) > 1 and fields[0].isdigit() and fields[1].upper() in ("F", "M"):
            genders[fields[0]] = fields[1].upper()
    return genders
