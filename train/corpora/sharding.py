# SPDX-License-Identifier: Apache-2.0
"""Writing a corpus as shards (shards.py): each recording is read, resampled where it must be, measured and appended."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dyncp.base.audio import Pcm, pad_to_hop, to_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.base.errors import AudioError, NoAudioError
from dyncp.train.corpora.audible import NOISE, SPEECH, Audible, Sound
from dyncp.train.corpora.conversion import read_resampled
from dyncp.train.corpora.corpus import read_parts
from dyncp.train.corpora.files.staging import staged
from dyncp.train.corpora.recordings import Recording, difference, read_recording
from dyncp.train.corpora.shards import COLUMNS, MANIFEST, SCHEMA, TABLE, Manifest
from dyncp.train.corpora.sources import measured
from dyncp.train.corpora.splits import settle_splits

# Samples after which a new shard begins: 512 MB of audio.
SHARD = 1 << 28
# Recordings that are read at once: so much is held in memory, whatever the corpus holds.
AHEAD = 2 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Sharding:
    """What became of a corpus's recordings."""

    speech: int
    noise: int
    hours: float
    left_out: tuple[str, ...]


class Shards:
    """The files of one kind, written one after the other."""

    def __init__(self, folder: Path, sound: Sound, limit: int) -> None:
        self.folder, self.sound, self.limit = folder, sound, limit
        self.names: list[str] = []
        self.samples, self._heard = limit, 0
        self._open = ExitStack()
        self._pcm: BinaryIO
        self._before: BinaryIO

    def append(self, pcm: Pcm, audible: Audible) -> tuple[str, int]:
        """The shard that the recording went to, and its first sample there."""
        if self.samples >= self.limit:
            self._begin()
        first = self.samples
        padded = pad_to_hop(pcm)
        self._pcm.write(padded.astype("<i2").tobytes())
        before = np.append(audible.before[1:], [audible.total] * (len(padded) // HOP - len(pcm) // HOP))
        self._before.write((before + self._heard).astype("<i4").tobytes())
        self.samples += len(padded)
        self._heard += audible.total
        return self.names[-1], first

    def _begin(self) -> None:
        self.close()
        self.names.append(f"{self.sound.name}-{len(self.names):04d}.pcm")
        path = self.folder / self.names[-1]
        self._open = ExitStack()
        self._pcm = self._open.enter_context(path.open("wb"))
        self._before = self._open.enter_context(path.with_suffix(".heard").open("wb"))
        self._before.write(np.zeros(1, "<i4").tobytes())
        self.samples = self._heard = 0

    def close(self) -> None:
        self._open.close()


def shard_corpus(
    source: Path,
    target: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    limit: int = SHARD,
) -> Sharding:
    """Write `target`, whole or not at all, from a corpus in any layout and of any rate, or one composed of several.

    Recordings of 16 kHz mono keep every sample; others are mixed down and resampled as `convert_corpus` does. What
    holds no speech or no noise is left out and named. `progress` hears of recordings done and in total; a shard begins
    after `limit` samples. Raises ConfigError or AudioError naming the file.
    """
    parts = [(settle_splits(part), sound) for part, sound in zip(read_parts(source), (SPEECH, NOISE), strict=True)]
    total, done, samples = sum(len(part) for part, _ in parts), 0, 0
    left_out: list[str] = []
    rows: list[dict[str, object]] = []
    with staged(target) as complete:
        for recordings, sound in parts:
            shards = Shards(complete, sound, limit)
            try:
                for recording, found in _examined(recordings, sound):
                    done += 1
                    progress(done, total)
                    if isinstance(found, str):
                        left_out.append(found)
                        continue
                    rows.append(_row(recording, sound, *shards.append(*found), len(found[0])))
                    samples += len(found[0])
            finally:
                shards.close()
        _write_tables(complete, rows)
    kinds = [row["kind"] for row in rows]
    hours = samples / SAMPLE_RATE / 3600
    return Sharding(kinds.count("speech"), kinds.count("noise"), hours, tuple(left_out))


def _examined(recordings: Sequence[Recording], sound: Sound) -> Iterator[tuple[Recording, tuple[Pcm, Audible] | str]]:
    """Each recording and its samples, read in parallel a few at a time, or why it is left out."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(recordings), AHEAD):
            some = recordings[start : start + AHEAD]
            yield from zip(some, pool.map(lambda r: _examine(r, sound), some), strict=True)


def _examine(recording: Recording, sound: Sound) -> tuple[Pcm, Audible] | str:
    try:
        return measured(recording, read_any_rate(recording), sound)
    except NoAudioError as error:
        return str(error)


def read_any_rate(recording: Recording) -> Pcm:
    """As `read_recording`, but resampled where it must be."""
    if recording.shard is not None or (found := read_resampled(recording.path)) is None:
        return read_recording(recording)
    pcm = to_pcm(found.signal)
    if recording.minus is None:
        return pcm
    clean = read_resampled(recording.minus)
    if clean is None:
        raise AudioError(f"{recording.minus}: has another sample rate than its partner {recording.path}")
    return difference(recording, pcm, to_pcm(clean.signal))


def _row(recording: Recording, sound: Sound, shard: str, first: int, samples: int) -> dict[str, object]:
    values = (
        sound.name,
        shard,
        first,
        samples,
        recording.group,
        recording.license,
        recording.gender,
        recording.accent,
        recording.category,
        recording.split,
        recording.origin if recording.shard else recording.path,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _write_tables(folder: Path, rows: Sequence[dict[str, object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    table = text.getvalue().encode("utf-8")
    (folder / TABLE).write_bytes(table)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.name != TABLE}
    manifest = Manifest(schema_version=SCHEMA, table_sha256=hashlib.sha256(table).hexdigest(), sizes=sizes)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
