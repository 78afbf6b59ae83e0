# SPDX-License-Identifier: Apache-2.0
"""Which split each recording belongs to: all of a speaker in one, all of a noise recording in one, none empty.

A corpus may name splits; a speaker of whom it names one for some recordings has it for all. The others follow from a
hash of their name, so that a corpus that grows moves nobody. Only where that leaves a split empty are speakers moved,
the fewest that fill it: three are enough for three splits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.recordings import Recording, Split, hash_position

SPLITS: tuple[Split, ...] = get_args(Split)


def settle_splits(recordings: Sequence[Recording]) -> list[Recording]:
    """The recordings, each with the split of its group.

    Raises ConfigError naming both lines or files where a corpus puts one group, or one file, into two splits.
    """
    stated = _stated(recordings)
    places = {r.group: r.split for r in recordings} | {group: r.split for group, r in stated.items()}
    _fill(places, movable=places.keys() - stated.keys())
    settled = [r if r.split == places[r.group] else replace(r, fixed_split=places[r.group]) for r in recordings]
    _check_files(settled)
    return settled


def _stated(recordings: Sequence[Recording]) -> dict[str, Recording]:
    """Of each group that the corpus itself puts into a split, the first recording that says so."""
    stated: dict[str, Recording] = {}
    for recording in recordings:
        if recording.fixed_split is None:
            continue
        first = stated.setdefault(recording.group, recording)
        if first.fixed_split != recording.fixed_split:
            raise ConfigError(
                f"{_place(first)} and {_place(recording)}: both are of {recording.group}, but one is in "
                f"`{first.fixed_split}` and the other in `{recording.fixed_split}`; splits may share no speaker and no "
                "recording"
            )
    return stated


def _fill(places: dict[str, Split], movable: set[str]) -> None:
    """Move groups until no split is empty or none can be moved."""
    for empty in ("test", "validation", "train"):
        counts = Counter(places.values())
        givers = [name for name in SPLITS if counts[name] > 1 and any(places[g] == name for g in movable)]
        if empty in counts or len(places) < len(SPLITS) or not givers:
            continue
        giver = max(givers, key=lambda name: counts[name])
        # Of the hash's order test, validation, train, the nearest: the lowest, or for training the highest.
        choose = max if empty == "train" else min
        places[choose((g for g in movable if places[g] == giver), key=lambda g: (hash_position(g), g))] = empty


def _check_files(recordings: Sequence[Recording]) -> None:
    """One file under two names of speakers is still one voice."""
    first: dict[tuple[Path, object], Recording] = {}
    for recording in recordings:
        other = first.setdefault((recording.path, recording.shard), recording)
        if other.split != recording.split:
            raise ConfigError(
                f"{_place(other)} and {_place(recording)}: both name {recording.path}, but one is in `{other.split}` "
                f"and the other in `{recording.split}`"
            )


def _place(recording: Recording) -> str:
    return recording.origin or str(recording.path)


def published_split(published: Split, group: str, present: set[Split]) -> Split | None:
    """The split of a group of which the corpus's publisher says `published`, `present` being those at hand.

    Where one of the others is at hand beside training data, the hash finds the third among it. None leaves everything
    to the hash, where training data is at hand alone, or none.
    """
    if "train" not in present or present == {"train"}:
        return None
    if published != "train":
        return published
    hashed = Recording(Path(), group, "").split
    return "train" if hashed in present else hashed
