# SPDX-License-Identifier: Apache-2.0
"""Stratified random order: equal shares, spread over the stream, nothing twice before everything once."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dyncp.train.corpora.recordings import Recording
from dyncp.train.streams.strata import Strata

ENDLESS = 10_000


def recordings(counts: list[int]) -> list[Recording]:
    names = [(category, file) for category, count in enumerate(counts) for file in range(count)]
    return [Recording(Path(f"{category}-{file}"), "x", "CC0", category=str(category)) for category, file in names]


def draw(strata: Strata, times: int, hops: int = 10) -> list[Recording]:
    drawn = []
    for _ in range(times):
        drawn.append(strata.draw())
        strata.spend(drawn[-1], hops)
    return drawn


def category(recording: Recording) -> str:
    return recording.category


@given(counts=st.lists(st.integers(1, 7), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_every_stratum_once_in_each_round_and_no_repeat_before_all(counts: list[int], seed: int) -> None:
    strata = Strata(recordings(counts), category, ENDLESS, np.random.default_rng(seed))
    drawn = draw(strata, 6 * len(counts))
    for start in range(0, len(drawn), len(counts)):
        assert len({r.category for r in drawn[start : start + len(counts)]}) == len(counts)
    for number, count in enumerate(counts):
        own = [r for r in drawn if r.category == str(number)]
        for start in range(0, len(own), count):
            stretch = own[start : start + count]
            assert len(set(stretch)) == len(stretch)


@given(lengths=st.lists(st.integers(1, 50), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_shares_are_of_time_not_of_files(lengths: list[int], seed: int) -> None:
    strata = Strata(recordings([3] * len(lengths)), category, ENDLESS, np.random.default_rng(seed))
    time: Counter[str] = Counter()
    for _ in range(200):
        drawn = strata.draw()
        strata.spend(drawn, lengths[int(drawn.category)])
        time[drawn.category] += lengths[int(drawn.category)]
    assert max(time.values()) - min(time.values()) <= max(lengths)


def test_a_small_stratum_yields_after_its_repeats_and_comes_again_when_all_are_used_up() -> None:
    strata = Strata(recordings([2, 30]), category, 3, np.random.default_rng(1))
    drawn = draw(strata, 96)
    assert Counter(r.category for r in drawn) == {"0": 6, "1": 90}
    further = draw(strata, 32)
    assert Counter(r.category for r in further) == {"0": 2, "1": 30}


def test_the_order_is_random_and_follows_the_generator() -> None:
    orders = [draw(Strata(recordings([4] * 4), category, 9, np.random.default_rng(seed)), 48) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    rounds = [tuple(r.category for r in orders[0][start : start + 4]) for start in range(0, 48, 4)]
    assert any(first != second for first, second in pairwise(rounds))
