# SPDX-License-Identifier: Apache-2.0
"""Every layout by name: how it is recognised and how it is read. The first that recognises a folder reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dyncp.train.corpora.files.listing import folders_in
from dyncp.train.corpora.layouts import demand, dns, esc50, folders, librispeech, musan, tables, vctk, voicebank
from dyncp.train.corpora.recordings import Recording

Parts = tuple[list[Recording], list[Recording]]


class Layout(NamedTuple):
    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], Parts]


def _has_sides(folder: Path) -> bool:
    return tables.has_tables(folder) or (folder / "speech").is_dir() or (folder / "noise").is_dir()


def _read_sides(folder: Path) -> Parts:
    """Speech and noise, each from its table or, without one, from its folder, which may be of a published layout."""
    speech, noise = tables.read_tables(folder)
    if not (folder / "speech.csv").is_file():
        speech = _side(folder / "speech", folders.read_speech_folder, 0)
    if not (folder / "noise.csv").is_file():
        noise = _side(folder / "noise", folders.read_noise_folder, 1)
    return speech, noise


def _side(folder: Path, read: Callable[[Path, set[Path]], list[Recording]], index: int) -> list[Recording]:
    """One part of a user's own corpus: a published one lies there, or several do, or it is laid out as folders.py."""
    if not folder.is_dir():
        return []
    if whole := find_published(folder):
        return whole.read(folder)[index]
    inner = [(path, layout) for path in folders_in(folder) if (layout := find_published(path))]
    published = [recording for path, layout in inner for recording in layout.read(path)[index]]
    return [*read(folder, {path for path, _ in inner}), *published]


PUBLISHED = (
    Layout("ESC-50", esc50.is_esc50, esc50.read_esc50),
    Layout("VCTK", vctk.is_vctk, vctk.read_vctk),
    Layout("LibriSpeech or LibriTTS", librispeech.is_librispeech, librispeech.read_librispeech),
    Layout("DNS Challenge", dns.is_dns, dns.read_dns),
    Layout("MUSAN", musan.is_musan, musan.read_musan),
    Layout("DEMAND", demand.is_demand, demand.read_demand),
)
LAYOUTS = (
    Layout("VoiceBank+DEMAND", voicebank.is_voicebank, voicebank.read_voicebank),
    Layout("tables", tables.has_tables, _read_sides),
    *PUBLISHED,
    Layout("folders speech/ and noise/", _has_sides, _read_sides),
)


def find_published(folder: Path) -> Layout | None:
    return next((layout for layout in PUBLISHED if layout.recognises(folder)), None)


def find_layout(folder: Path) -> Layout | None:
    return next((layout for layout in LAYOUTS if layout.recognises(folder)), None)


def layouts_below(folder: Path) -> list[tuple[Path, Layout]]:
    """The corpora directly in a folder that is none itself, for a message that says where they are."""
    return [(inner, layout) for inner in folders_in(folder) if (layout := find_layout(inner))]
