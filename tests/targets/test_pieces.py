# SPDX-License-Identifier: Apache-2.0
"""Label computation in pieces: kept, resumed, and computed where the user wants it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest
from constructed import CLASSES, talk_in_hiss

from dyncp.train.pieces import Piece, Work
from dyncp.train.streams.streams import Stream
from dyncp.train.targets.labels import make_labels

KEPT = ("si_sdr", "f0")


def labels_of(stream: Stream, cache: Path | None = None, n_jobs: int = 1, more: str = "f0") -> dict[str, np.ndarray]:
    return make_labels(stream, stream.noisy, CLASSES, {*KEPT, more}, cache, n_jobs, progress=False)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name], equal_nan=True) for name in one.keys() | other.keys())


def times(cache: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}


def test_what_is_kept_is_not_computed_again(tmp_path: Path) -> None:
    stream = talk_in_hiss(70)
    first = labels_of(stream, tmp_path / "labels")
    kept = times(tmp_path / "labels")
    # The pitch of two utterances; SI-SDR of windows that start before 30 s, 60 s and 90 s.
    assert len(kept) == 2 + 3
    assert same(first, labels_of(stream, tmp_path / "labels"))
    assert times(tmp_path / "labels") == kept
    assert same(first, labels_of(stream))


def test_a_killed_run_resumes_with_what_is_missing(tmp_path: Path) -> None:
    stream = talk_in_hiss()
    first = labels_of(stream, tmp_path)
    kept = times(tmp_path)
    lost, damaged = sorted(kept)[:2]
    (tmp_path / lost).unlink()
    (tmp_path / damaged).write_bytes(b"\x93NUMPY")
    assert same(first, labels_of(stream, tmp_path))
    again = times(tmp_path)
    assert set(again) == set(kept)
    assert {name for name in kept if again[name] != kept[name]} == {lost, damaged}


def test_other_audio_is_computed_anew_and_only_where_it_differs(tmp_path: Path) -> None:
    stream = talk_in_hiss(70)
    labels_of(stream, tmp_path)
    kept = times(tmp_path)
    noisy = stream.noisy.copy()
    noisy[3000] += 1
    changed = labels_of(replace(stream, noisy=noisy), tmp_path)
    # The SI-SDR of the first 30 s; pitch hears the clean speech alone.
    assert len(times(tmp_path)) == len(kept) + 1
    assert same(changed, labels_of(replace(stream, noisy=noisy)))


def test_a_key_tells_version_and_arguments_apart() -> None:
    ones = np.ones(4, np.int16)
    piece = Piece(np.negative, 1, (ones, 2))
    others = [
        replace(piece, version=2),
        replace(piece, function=np.positive),
        replace(piece, arguments=(ones, 3)),
        replace(piece, arguments=(ones.astype(np.int32), 2)),
        replace(piece, arguments=(ones.reshape(2, 2), 2)),
        replace(piece, arguments=(2 * ones, 2)),
    ]
    assert len({other.key for other in [piece, *others]}) == 7
    assert piece.key == replace(piece, arguments=(ones.copy(), 2)).key


def process() -> np.ndarray:
    return np.array([os.getpid()])


def test_results_keep_their_order_and_the_user_chooses_the_backend() -> None:
    work = Work(n_jobs=2, progress=False)
    pieces = [Piece(np.full, 1, (1, number)) for number in range(50)]
    assert [int(result[0]) for result in work.run(pieces, "")] == list(range(50))
    assert work.run([Piece(process, 1, ())] * 4, "") != [[os.getpid()]] * 4
    with joblib.parallel_config("threading"):
        assert work.run([Piece(process, 1, ())] * 4, "") == [[os.getpid()]] * 4


@pytest.mark.slow
def test_a_dask_cluster_computes_the_same(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    stream = talk_in_hiss()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        with joblib.parallel_config("dask"):
            there = labels_of(stream, tmp_path, n_jobs=-1, more="pesq")
            where = Work(progress=False).run([Piece(process, 1, ())] * 4, "")
        workers = set(client.run(os.getpid).values())
    assert {int(pid[0]) for pid in where} <= workers
    assert same(there, labels_of(stream, more="pesq"))
