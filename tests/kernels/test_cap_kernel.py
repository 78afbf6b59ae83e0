# SPDX-License-Identifier: Apache-2.0
"""The cap: of the positive scores the highest, of equal ones the first, for any scores, caps and counts."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from libraries import Kernel

from dyncp.export.integers.caps import highest

LOWEST, HIGHEST = -(2**31), 2**31 - 1
SCORE = st.one_of(
    st.integers(LOWEST, HIGHEST),
    st.sampled_from([LOWEST, -1, 0, 1, 2, 2**30 - 1, 2**30, HIGHEST - 1, HIGHEST]),
    st.integers(1, 5),
)
SCORES = st.lists(SCORE, min_size=1, max_size=100)
CAP = st.integers(0, 110)


def literal(scores: list[int], cap: int) -> list[bool]:
    """Sorted by falling score, then by channel: the first `cap`, where positive."""
    first = sorted(range(len(scores)), key=lambda channel: (-scores[channel], channel))[:cap]
    return [channel in first and scores[channel] > 0 for channel in range(len(scores))]


def bits(words: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> list[bool]:
    return [bool(word >> bit & 1) for word in words.tolist() for bit in range(32)]


@given(scores=SCORES, per_block=CAP, left=CAP)
@example(scores=[HIGHEST] * 40, per_block=33, left=34)
@example(scores=[1] * 40, per_block=110, left=32)
@example(scores=[HIGHEST, HIGHEST - 1, 1, 1, 2, 1], per_block=4, left=110)
@example(scores=[LOWEST, 0, -1, 7], per_block=0, left=0)
@example(scores=[0, -1], per_block=0, left=0)
def test_the_kernel_keeps_the_highest(kernel: Kernel, scores: list[int], per_block: int, left: int) -> None:
    count = len(scores)
    words = np.full(-(-count // 32) + 1, 0xFFFFFFFF, np.uint32)
    active = kernel("mask", np.array(scores, np.int32), words, count, per_block, left)
    expected = literal(scores, min(per_block, left))
    padding = [False] * (-count % 32) + [True] * 32
    assert bits(words) == expected + padding, "and nothing behind its words"
    assert active == sum(expected)


@given(frames=st.lists(st.tuples(st.lists(SCORE, min_size=7, max_size=7), CAP), min_size=1, max_size=5))
def test_the_reference_keeps_the_highest(frames: list[tuple[list[int], int]]) -> None:
    scores = np.array([scores for scores, _ in frames], np.int64)
    caps = np.array([cap for _, cap in frames], np.int64)
    assert highest(scores, caps).tolist() == [literal(scores, cap) for scores, cap in frames]


def test_a_score_of_one_opens_and_none_does_not() -> None:
    assert highest(np.array([[0, 1, 2, -1]]), 4).tolist() == [[False, True, True, False]]
