# SPDX-License-Identifier: Apache-2.0
"""MUSAN (Snyder, Chen and Povey, 2015; OpenSLR 17, 16 kHz) as unpacked.

    musan/noise/{free-sound,sound-bible}/noise-free-sound-0000.wav …    ANNOTATIONS and LICENSE beside the files
    musan/music/{fma,fma-western-art,hd-classical,jamendo,rfm}/music-fma-0000.wav …
    musan/speech/{librivox,us-gov}/speech-librivox-0000.wav …

ANNOTATIONS of speech has `FILE GENDER LANGUAGE`, that of free-sound lists files under a heading that ends with a colon
(`Background noises:`). LICENSE has a block for each file, or one for them all. Speech is that of librivox, one reader
to a file; us-gov has hearings in which several people talk, and belongs to no speaker.
"""

from __future__ import annotations

import re
from pathlib import Path

from dyncp.train.corpora.files.listing import audio_in, folders_in
from dyncp.train.corpora.files.text import read_published
from dyncp.train.corpora.recordings import Recording

KINDS = ("noise", "music", "speech")
FILE = re.compile(r"(?:noise|music|speech)-[a-z-]+-\d{4}")
GENDERS = {"f": "F", "m": "M"}


def is_musan(folder: Path) -> bool:
    """By the names of its files: a folder of the user's own may hold speech/ and noise/ as well."""
    sources = [source for kind in KINDS for source in folders_in(folder / kind)]
    return any(FILE.fullmatch(path.stem) for source in sources for path in audio_in(source)[:1])


def read_musan(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """Music is a noise of its own category; noise is `Background` where the annotations call it so, else `Noise`."""
    speech = [recording for recording in _read(folder / "speech") if "librivox" in recording.path.parts]
    return speech, [*_read(folder / "noise"), *_read(folder / "music")]


def _read(kind: Path) -> list[Recording]:
    recordings = []
    for source in folders_in(kind):
        licenses = _licenses(source / "LICENSE")
        annotations = _annotations(source / "ANNOTATIONS")
        for path in audio_in(source):
            notes = annotations.get(path.stem, [])
            recordings.append(_recording(kind.name, path, notes, licenses.get(path.stem, licenses.get("", "unknown"))))
    return recordings


def _recording(kind: str, path: Path, notes: list[str], license_name: str) -> Recording:
    group = f"MUSAN {path.stem}"
    if kind == "speech":
        gender = GENDERS.get(notes[0].lower(), "U") if notes else "U"
        return Recording(path, group, license_name, gender=gender, accent=notes[1] if len(notes) > 1 else "")
    background = any("background" in note.lower() for note in notes)
    category = "Music" if kind == "music" else "Background" if background else "Noise"
    return Recording(path, group, license_name, category=category)


def _annotations(path: Path) -> dict[str, list[str]]:
    """File's stem → what its line says, and the heading that the line is under."""
    notes: dict[str, list[str]] = {}
    heading: list[str] = []
    for line in read_published(path).splitlines() if path.is_file() else ():
        fields = line.split()
        if line.rstrip().endswith(":"):
            heading = [line.strip(" :")]
        elif fields and FILE.fullmatch(stem := fields[0].removesuffix(".wav")):
            notes[stem] = fields[1:] + heading
    return notes


def _licenses(path: Path) -> dict[str, str]:
    """File's stem → licence; under the empty name, that of a text which names no file and so speaks of all."""
    if not path.is_file():
        return {}
    text = read_published(path)
    starts = list(FILE.finditer(text))
    if not starts:
        return {"": license_in(text)}
    stops = [found.start() for found in starts[1:]] + [len(text)]
    blocks = {found[0]: text[found.end() : stop] for found, stop in zip(starts, stops, strict=True)}
    return {stem: license_in(block) for stem, block in blocks.items()}


def license_in(text: str) -> str:
    """The licence that a text names, as `is_redistributable` reads it; `unknown` where it names none."""
    words = text.lower()
    if linked := re.search(r"creativecommons\.org/licenses/(by[a-z-]*)/(\d\.\d)", words):
        return f"CC {linked[1].upper()} {linked[2]}"
    if re.search(r"public domain|cc0|creative commons zero|creativecommons\.org/publicdomain", words):
        return "Public domain"
    terms = [
        term
        for term, pattern in (
            ("NC", r"non-?commercial|by-nc"),
            ("ND", r"no-?deriv|-nd\b"),
            ("SA", r"share-?alike|-sa\b"),
        )
        if re.search(pattern, words)
    ]
    if terms or re.search(r"attribution|cc[ -]by", words):
        version = re.search(r"\b([1-4]\.\d)\b", words)
        return "-".join(["CC BY", *terms]) + (f" {version[1]}" if version else "")
    return "unknown"
