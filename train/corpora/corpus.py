# SPDX-License-Identifier: Apache-2.0
"""Reading a corpus, in whichever layout it is kept: docs/corpora.md.

A corpus is a folder in one of the layouts of layouts/registry.py, shards that `dyncp corpus --shards` made of one
(shards.py), or a TOML file that composes several (composition.py).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.composition import is_composition, read_composition
from dyncp.train.corpora.files.listing import audio_files, audio_in
from dyncp.train.corpora.layouts.registry import LAYOUTS, find_layout, layouts_below
from dyncp.train.corpora.recordings import Corpus, Recording, is_redistributable
from dyncp.train.corpora.shards import is_sharded, read_shards
from dyncp.train.corpora.splits import settle_splits

# Files that a message names; the rest are counted.
NAMED = 5

log = logging.getLogger(__name__)


def load_corpus(folders: Path | Sequence[Path], redistributable: bool = False) -> Corpus:
    """Read a corpus, or several as one; `redistributable` keeps only files whose licence lets a network be passed on.

    Raises ConfigError naming the file and the line or field, or both places where a speaker or a recording would be in
    two splits.
    """
    every = [folders] if isinstance(folders, Path) else folders
    parts = [read_parts(folder) for folder in every]
    speech, noise = ([recording for part in parts for recording in part[index]] for index in (0, 1))
    for kind, recordings, other in (("speech", speech, "noise"), ("noise", noise, "speech")):
        if not recordings:
            raise ConfigError(
                f"{', '.join(map(str, every))}: lists no {kind}; where it holds {other} alone, name a corpus of {kind} "
                f"beside it, with another --corpus: docs/corpora.md"
            )
    return Corpus(_settled(speech, redistributable), _settled(noise, redistributable))


def _settled(recordings: list[Recording], redistributable: bool) -> tuple[Recording, ...]:
    settled = settle_splits(recordings)
    if redistributable:
        # Settled anew, so that what licences exclude leaves no split empty; who was in two was refused above.
        settled = settle_splits([r for r in recordings if is_redistributable(r.license)])
    return tuple(settled)


def read_parts(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """(speech, noise) of a corpus, one of which may be empty; splits are as far as the corpus itself sets them."""
    if is_composition(folder):
        composition = read_composition(folder)
        speech = [recording for part in composition.speech for recording in _read_folder(part)[0]]
        return speech, [recording for part in composition.noise for recording in _read_folder(part)[1]]
    return _read_folder(folder)


def _read_folder(folder: Path) -> tuple[list[Recording], list[Recording]]:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; a corpus is a folder or a TOML file: docs/corpora.md")
    if is_sharded(folder):
        return read_shards(folder)
    layout = find_layout(folder)
    if layout is None:
        raise ConfigError(f"{folder}: {_what_is_there(folder)}")
    speech, noise = layout.read(folder)
    # Tables choose among the files of their folder.
    if layout.name != "tables":
        _tell_unread(folder, layout.name, [*speech, *noise])
    return speech, noise


def _tell_unread(folder: Path, layout: str, recordings: list[Recording]) -> None:
    """Audio that a layout has no place for is left out, and said so."""
    read = {path for r in recordings for path in (r.path, r.minus)}
    if unread := [path for path in audio_files(folder) if path not in read]:
        names = ", ".join(str(path.relative_to(folder)) for path in unread[:NAMED]) + ", …" * (len(unread) > NAMED)
        log.warning("%s: %d audio files left out, which %s has no place for: %s", folder, len(unread), layout, names)


def _what_is_there(folder: Path) -> str:
    """Why a folder is no corpus, and where one may be."""
    known = "holds neither " + ", nor ".join(layout.name for layout in LAYOUTS)
    if below := layouts_below(folder):
        found = ", ".join(f"{path} ({layout.name})" for path, layout in below[:NAMED])
        return f"lies one level too high; below it are {found}: name one, or compose several (docs/corpora.md)"
    if find_layout(folder.absolute().parent) and folder.name in ("speech", "noise"):
        return f"is one part of a corpus; name the folder above it: {folder.absolute().parent}"
    if direct := audio_in(folder):
        return (
            f"its {len(direct)} audio files lie one level too high; a speaker's go to speech/SPEAKER/{direct[0].name}, "
            f"a noise to noise/CATEGORY/{direct[0].name}"
        )
    if files := audio_files(folder):
        example = files[0].relative_to(folder)
        return f"{known}; its {len(files)} audio files lie as {example}: they go to speech/SPEAKER/ and noise/CATEGORY/"
    return known + ", and no audio"
