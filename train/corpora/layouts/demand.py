# SPDX-License-Identifier: Apache-2.0
"""DEMAND (Thiemann, Ito and Vincent, 2013; Zenodo 1227121, 16 or 48 kHz) as unpacked: a folder for each place.

    DKITCHEN/ch01.wav … DKITCHEN/ch16.wav    NPARK/ch01.wav …    STRAFFIC/ch01.wav …

The sixteen microphones of a place heard the same five minutes: they are one recording, and lie in one split.
"""

from __future__ import annotations

from pathlib import Path

from dyncp.train.corpora.files.listing import audio_in, folders_in
from dyncp.train.corpora.layouts.voicebank import CATEGORIES, NOISE_SPLITS
from dyncp.train.corpora.recordings import Recording, Split
from dyncp.train.corpora.splits import SPLITS

LICENSE = "CC BY-SA 3.0"
# DEMAND's names of its places → what VoiceBank+DEMAND calls those that it has, so that both are one recording.
PLACES = {
    "DKITCHEN": "kitchen",
    "DLIVING": "living",
    "DWASHING": "washing",
    "NFIELD": "field",
    "NPARK": "park",
    "NRIVER": "river",
    "OHALLWAY": "hallway",
    "OMEETING": "meeting",
    "OOFFICE": "office",
    "PCAFETER": "cafeteria",
    "PRESTO": "restaurant",
    "PSTATION": "station",
    "SCAFE": "cafe",
    "SPSQUARE": "psquare",
    "STRAFFIC": "traffic",
    "TBUS": "bus",
    "TCAR": "car",
    "TMETRO": "metro",
}


def is_place(folder: Path) -> bool:
    return folder.name in PLACES and bool(audio_in(folder))


def is_demand(folder: Path) -> bool:
    """Whether all that a folder holds is places of DEMAND."""
    inner = folders_in(folder)
    return bool(inner) and all(map(is_place, inner))


def read_demand(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """Noise alone, in DEMAND's own categories.

    Where the places at hand fill all splits of VoiceBank+DEMAND, they are split as they are there; else by their hash.
    """
    places = folders_in(folder)
    splits = {place: NOISE_SPLITS.get(PLACES[place.name], "train") for place in places}
    published = set(splits.values()) == set(SPLITS)
    noise = [recording(path, splits[place] if published else None) for place in places for path in audio_in(place)]
    return [], noise


def recording(path: Path, split: Split | None) -> Recording:
    """One microphone of a place."""
    place = PLACES[path.parent.name]
    return Recording(path, f"DEMAND {place}", LICENSE, category=CATEGORIES[place], fixed_split=split)
