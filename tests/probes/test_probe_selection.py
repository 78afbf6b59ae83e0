# SPDX-License-Identifier: Apache-2.0
"""Few mask bits for all probes: those that say something each, and none that repeats another."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dyncp.base.tasks import Task
from dyncp.train.probes.linear import fit
from dyncp.train.probes.selection import Fit, on_strongest

FRAMES = 4000
VOICE = Task(name="vad", kind="binary", outputs=1, unit="log-odds")
LEVEL = Task(name="level", kind="regression", outputs=1, unit="dB")
EVERY = np.ones(FRAMES, dtype=np.bool_)


@pytest.fixture(scope="module")
def bits() -> NDArray[np.bool_]:
    """Bits 0 to 2 are sources, 10 to 19 repeat bit 0 but for one frame in ten, others are chance; 50 never changes."""
    random = np.random.default_rng(1)
    bits = random.random((FRAMES, 51)) < 0.4
    bits[:, 10:20] = bits[:, :1] ^ (random.random((FRAMES, 10)) < 0.1)
    bits[:, 50] = True
    return bits


def fits(bits: NDArray[np.bool_]) -> list[Fit]:
    """Voice activity by bits 0 and 1, a level by bits 1 and 2."""
    voice = (bits[:, 0] & bits[:, 1]).astype(np.int16)
    level = (6.0 * bits[:, 1] - 12.0 * bits[:, 2]).astype(np.float32)
    both: list[tuple[NDArray[Any], Task]] = [(voice, VOICE), (level, LEVEL)]
    return [partial(fit, bits, labels, EVERY, task) for labels, task in both]


def strongest(bits: NDArray[np.bool_], fits: list[Fit], count: int) -> NDArray[np.bool_]:
    """What the probes read, bool [51]."""
    probes = on_strongest(bits, fits, [fit(among=np.ones(51, dtype=np.bool_)) for fit in fits], count)
    assert len({probe.kept.tobytes() for probe in probes}) == 1
    assert all((probe.weight[~probe.kept] == 0).all() for probe in probes)
    return probes[0].kept


def test_the_bits_of_every_task_are_found_among_those_that_repeat_them(bits: NDArray[np.bool_]) -> None:
    assert np.flatnonzero(strongest(bits, fits(bits), 3)).tolist() == [0, 1, 2]


def test_each_task_alone_has_its_own(bits: NDArray[np.bool_]) -> None:
    voice, level = fits(bits)
    assert np.flatnonzero(strongest(bits, [voice], 2)).tolist() == [0, 1]
    assert np.flatnonzero(strongest(bits, [level], 2)).tolist() == [1, 2]


def test_never_more_than_asked_for_and_never_a_bit_that_stands_still(bits: NDArray[np.bool_]) -> None:
    for count in (1, 7, 49):
        kept = strongest(bits, fits(bits), count)
        assert kept.sum() == count
        assert not kept[50]
    assert strongest(bits, fits(bits), 1000).sum() == 50


def test_a_probe_on_some_features_has_no_weight_elsewhere(bits: NDArray[np.bool_]) -> None:
    among = np.zeros(51, dtype=np.bool_)
    among[[1, 2, 50]] = True
    probe = fits(bits)[1](among=among)
    assert np.flatnonzero(probe.kept).tolist() == [1, 2]
    assert np.flatnonzero(probe.weight[:, 0]).tolist() == [1, 2]
    assert probe.weight[1, 0] == pytest.approx(6, abs=0.3)
