# SPDX-License-Identifier: Apache-2.0
"""VCTK 0.92 (Edinburgh DataShare 10283/3443, 48 kHz) and earlier as unpacked, and its table of speakers.

    speaker-info.txt    wav48_silence_trimmed/p225/p225_001_mic1.flac    wav48_silence_trimmed/p225/p225_001_mic2.flac …
    speaker-info.txt    wav48/p225/p225_001.wav …                                                (0.80 and before)

Both microphones of an utterance are recordings of one speaker, and so of one split.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.files.listing import audio_in, folders_in
from dyncp.train.corpora.files.text import read_text
from dyncp.train.corpora.recordings import Recording

TABLE = "speaker-info.txt"
# Folder of the audio → licence of the release that has it.
RELEASES = {"wav48_silence_trimmed": "CC BY 4.0", "wav48": "ODC-By 1.0", "wav16": "ODC-By 1.0"}


@dataclass(frozen=True)
class Speaker:
    gender: Literal["F", "M", "U"] = "U"
    accent: str = ""


def is_vctk(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in RELEASES)


def read_vctk(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """Speech alone. Raises ConfigError naming the table and the line."""
    table = read_speakers(folder / TABLE) if (folder / TABLE).is_file() else {}
    speech = []
    for name, license_name in RELEASES.items():
        for speaker in folders_in(folder / name):
            about = table.get(speaker.name.removeprefix("p"), Speaker())
            for path in audio_in(speaker):
                gender, accent = about.gender, about.accent
                speech.append(Recording(path, speaker.name, license_name, gender=gender, accent=accent))
    return speech, []


def read_speakers(path: Path) -> dict[str, Speaker]:
    """Speaker's number → gender and accent. Newer tables write the number as p225, older ones as 225.

    Raises ConfigError naming the table and the line.
    """
    lines = read_text(path).splitlines()
    if not lines or lines[0].split()[:4] != ["ID", "AGE", "GENDER", "ACCENTS"]:
        raise ConfigError(f"{path}, line 1: the columns must be ID AGE GENDER ACCENTS …, as in VCTK's table")
    table = {}
    for line, text in enumerate(lines[1:], start=2):
        if not (fields := text.split()):
            continue
        if len(fields) < 4 or fields[2] not in ("F", "M"):
            raise ConfigError(f"{path}, line {line}: is not `ID AGE F|M ACCENT …`: {text.strip()!r}")
        accent = "" if fields[3] == "Unknown" else fields[3]
        table[fields[0].removeprefix("p")] = Speaker("F" if fields[2] == "F" else "M", accent)
    return table
