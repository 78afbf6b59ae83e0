# SPDX-License-Identifier: Apache-2.0
"""From the mask to the gain: as many values as there are, each as in the reference, under all settings."""

from __future__ import annotations

from itertools import product

import numpy as np
from libraries import Kernel
from numpy.typing import NDArray

from dyncp.export.integers import controls
from dyncp.export.integers.controls import NO_LIMIT, WHOLE, Settings

FRAMES = 3
SETTINGS = (
    Settings(limit=9),
    Settings(strength=55),
    Settings(strength=175),
    Settings(attack=30, release=5),
    Settings(bypass=True),
    Settings(limit=12, strength=140, attack=40, release=15),
)


def words(settings: Settings) -> NDArray[np.uint32]:
    """Those of dcp_controls at the start of a stream."""
    floor = controls.least_gain(settings.limit) if settings.limit < NO_LIMIT else 0
    moves = settings.strength, settings.attack, settings.release
    return np.array([1, settings.limit, floor, *moves, int(settings.bypass), WHOLE], np.uint32)


def test_gains_are_those_of_the_reference_and_no_more(kernel: Kernel) -> None:
    for count, settings in product((1, 41), SETTINGS):
        masks = np.random.default_rng(count).integers(0, 32768, (FRAMES, count))
        expected = controls.gains(masks, [settings] * FRAMES)
        kept, gain = words(settings), np.append(np.zeros(count), [77, 77]).astype(np.uint16)
        for frame in range(FRAMES):
            mask = np.append(masks[frame], [99, 99]).astype(np.uint16)
            kernel("shape", kept, mask, gain, count)
            np.testing.assert_array_equal(gain[:count], expected[frame])
            assert [*gain[count:], *mask[count:]] == [77, 77, 99, 99]
