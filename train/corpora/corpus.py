# SPDX-License-Identifier: Apache-2.0
"""Reading a corpus, in whichever layout it is kept.

A corpus is a folder with two tables (tables.py), a folder with `speech/` and `noise/` holding audio files, where the
speaker and the noise category are the name of the folder that a file lies in, or VoiceBank+DEMAND as published
(voicebank.py).
"""

from __future__ import annotations

from pathlib import Path

from dyncp.base.audio import SUFFIXES
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.recordings import Corpus, Recording, is_redistributable
from dyncp.train.corpora.tables import has_tables, read_tables
from dyncp.train.corpora.voicebank import is_voicebank, read_voicebank


def load_corpus(folder: Path, redistributable: bool = False) -> Corpus:
    """Read a corpus folder; `redistributable` keeps only files whose licence lets a trained network be passed on.

    Raises ConfigError naming the file and the line or field.
    """
    if is_voicebank(folder):
        speech, noise = read_voicebank(folder)
    elif has_tables(folder):
        speech, noise = read_tables(folder)
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


def _audio_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
