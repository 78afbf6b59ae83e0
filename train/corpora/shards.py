# SPDX-License-Identifier: Apache-2.0
"""A corpus as shards: all samples in a few long files that are mapped into memory, and a table of what lies where.

    shards.json           schema, and the size and the sha256 of the table and the sizes of the other files
    recordings.csv        kind, shard, first, samples, group, license, gender, accent, category, split, origin
    speech-0000.pcm …     int16, little-endian, each recording padded with zeros to a whole number of hops
    speech-0000.heard …   int32, little-endian, [hops + 1]: in how many hops before each something is heard (audible.py)

`dyncp corpus --shards` writes them once (sharding.py). Training then holds some 0.5 KB per recording in memory, not
its samples, and draws the clips that it would draw from the files.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Literal, cast

import numpy as np
from pydantic import Field

from dyncp.base.config.framing import HOP
from dyncp.base.config.reading import StrictModel, parse
from dyncp.base.errors import ConfigError
from dyncp.train.corpora.audible import Audible
from dyncp.train.corpora.recordings import Recording, Split, Stretch, mapped

MANIFEST, TABLE = "shards.json", "recordings.csv"
COLUMNS = (
    "kind", "shard", "first", "samples", "group", "license", "gender", "accent", "category", "split", "origin"
)  # fmt: skip
SCHEMA: Literal[1] = 1


class Manifest(StrictModel):
    """What a folder of shards must hold."""

    schema_version: Literal[1]
    table_sha256: str
    sizes: dict[str, int] = Field(description="bytes of each .pcm and .heard file")


def is_sharded(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def read_shards(folder: Path) -> tuple[list[Recording], list[Recording]]:
    """(speech, noise), in the order of the corpus that they were made of.

    Raises ConfigError naming a file that is missing, cut short or altered; samples are not read.
    """
    manifest = _read_manifest(folder / MANIFEST)
    for name, size in manifest.sizes.items():
        path = folder / name
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            state = "is missing" if found is None else f"has {found:,} bytes instead of {size:,}"
            raise ConfigError(f"{path}: {state}; make the shards again with `dyncp corpus --shards`")
    table = (folder / TABLE).read_bytes() if (folder / TABLE).is_file() else b""
    if hashlib.sha256(table).hexdigest() != manifest.table_sha256:
        raise ConfigError(f"{folder / TABLE}: is not as it was written; make the shards again with `dyncp corpus`")
    parts: dict[str, list[Recording]] = {"speech": [], "noise": []}
    shards = {name: folder / name for name in manifest.sizes}
    for row in csv.DictReader(io.StringIO(table.decode("utf-8"), newline="")):
        # A million recordings have few speakers, licences and categories: each word is held once.
        shared = {column: sys.intern(field) for column, field in row.items()}
        parts[row["kind"]].append(_recording(shards[row["shard"]], shared))
    return parts["speech"], parts["noise"]


def _read_manifest(path: Path) -> Manifest:
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not valid JSON: {error}") from None
    return parse(Manifest, data, str(path))


def _recording(shard: Path, row: dict[str, str]) -> Recording:
    return Recording(
        shard,
        row["group"],
        row["license"],
        gender=row["gender"],
        accent=row["accent"],
        category=row["category"],
        fixed_split=cast(Split, row["split"]),
        shard=Stretch(int(row["first"]), int(row["samples"])),
        origin=row["origin"],
    )


def shard_audible(recording: Recording) -> Audible:
    """Where a recording of a shard is heard, as it was measured when the shard was made."""
    assert recording.shard is not None
    first, samples = recording.shard
    before = mapped(recording.path.with_suffix(".heard"), np.dtype("<i4"))
    return Audible(before[first // HOP : first // HOP + samples // HOP + 1])
