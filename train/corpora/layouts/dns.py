# SPDX-License-Identifier: Apache-2.0
"""The training data of the DNS Challenges (Microsoft, 2020 to 2023; 16 or 48 kHz) as unpacked.

    datasets_fullband/clean_fullband/read_speech/book_00000_chp_0009_reader_06709_0_seg_1_seg1.wav …
    datasets_fullband/clean_fullband/vctk_wav48_silence_trimmed/p225/p225_001_mic1.wav …    {german,french,…}_speech/ …
    datasets_fullband/noise_fullband/door_Freesound_validated_235661_0.wav …    noise_fullband/FXlL-WffpM0.wav …
    datasets/clean/…    datasets/noise/…                                          (2020, 16 kHz)

Names tell the speaker, or the sound's kind and its number at Freesound; a noise without them is a clip of AudioSet by
its YouTube name. Of a file whose name tells no speaker, all of its folder counts as one, lest one voice be in two
splits. The licences are those of datasets_fullband/README.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from dyncp.train.corpora.files.listing import audio_files
from dyncp.train.corpora.layouts.librispeech import librivox_reader
from dyncp.train.corpora.recordings import Recording

CLEAN, NOISE = ("clean_fullband", "clean"), ("noise_fullband", "noise")
FREESOUND = re.compile(r"(?P<kind>.+)_Freesound_(?:validated_)?(?P<number>\d+)_\d+")
# Of names in read_speech, VCTK, emotional_speech (CREMA-D), VocalSet and the OpenSLR voices: the speaker.
READER = re.compile(r"_reader_(\d+)")
VCTK = re.compile(r"([ps]\d+)_\d+")
CREMA = re.compile(r"(1\d{3})_[A-Z]{3}_[A-Z]{3}_")
VOCALSET = re.compile(r"([fm])(\d{1,2})_")
OPENSLR = re.compile(r"(SLR\d+_.*?_(female|male)_[a-z]+_\d+)_")


def is_dns(folder: Path) -> bool:
    return folder.name in (CLEAN[0], NOISE[0]) or _root(folder) is not None


def read_dns(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """Either part may be absent; the folder may be that of a part."""
    if folder.name in (CLEAN[0], NOISE[0]):
        clean, noise = ([folder] if folder.name == name else [] for name in (CLEAN[0], NOISE[0]))
    else:
        root = _root(folder) or folder
        clean, noise = ([root / n for n in names if (root / n).is_dir()] for names in (CLEAN, NOISE))
    return (
        [_speech(part, path) for part in clean for path in audio_files(part)],
        [_noise(path) for part in noise for path in audio_files(part)],
    )


def _root(folder: Path) -> Path | None:
    """Where the parts lie; the names of 2020 are those of many corpora, and are believed in `datasets` alone."""
    for root in (folder, folder / "datasets_fullband"):
        if any((root / name).is_dir() for name in (CLEAN[0], NOISE[0])):
            return root
    root = folder if folder.name == "datasets" else folder / "datasets"
    return root if (root / CLEAN[1]).is_dir() and (root / NOISE[1]).is_dir() else None


def _speech(part: Path, path: Path) -> Recording:
    stem = path.stem
    if found := READER.search(stem):
        return Recording(path, librivox_reader(found[1]), "Public domain")
    if found := VCTK.match(stem):
        return Recording(path, found[1], "CC BY 4.0")
    if found := CREMA.match(stem):
        return Recording(path, f"CREMA-D {found[1]}", "ODbL 1.0")
    if found := VOCALSET.match(stem):
        return Recording(path, f"VocalSet {found[1]}{found[2]}", "CC BY 4.0", gender=found[1].upper())
    if found := OPENSLR.search(stem):
        return Recording(path, found[1], "CC BY-SA 4.0", gender=found[2][0].upper())
    inner = path.relative_to(part).parent
    return Recording(path, f"DNS {inner.as_posix()}", "unknown")


def _noise(path: Path) -> Recording:
    if found := FREESOUND.fullmatch(path.stem):
        return Recording(path, f"freesound {found['number']}", "CC0", category=found["kind"])
    return Recording(path, f"AudioSet {path.stem[:11]}", "CC BY 4.0", category="AudioSet")
