# SPDX-License-Identifier: Apache-2.0
"""The path of digital silence on every core: taken where all is 0 and nowhere else, with the integers of the other."""

from __future__ import annotations

import numpy as np
import pytest
from libraries import Kernel

from dyncp.codegen.lowering.frontend import twice_twiddle
from dyncp.export.transforms import frontend

TWIDDLE = twice_twiddle(frontend.twiddle())
PLACES = [0, 1, 15, 16, 100, 254, 255]
OVERLAPS = {
    "nothing": np.zeros(256, np.int32),
    "one unit, last": np.where(np.arange(256) == 255, 8, 0).astype(np.int32),
    "any": np.random.default_rng(0).integers(-(2**31), 2**31, 256).astype(np.int32),
}


@pytest.mark.parametrize("place", PLACES)
def test_one_unit_anywhere_is_heard(kernel: Kernel, place: int) -> None:
    """In the hop, and one hop later in the history."""
    hops = np.zeros((4, 256), np.int16)
    hops[1, place] = -1
    re, im = frontend.analysis(hops)
    history, x = np.zeros(256, np.int16), np.ones((257, 2), np.int32)
    for i, hop in enumerate(hops):
        kernel("analysis", frontend.window(), TWIDDLE, hop, history, x)
        np.testing.assert_array_equal(x, np.stack([re[i], im[i]], axis=1))
        np.testing.assert_array_equal(history, hop)


@pytest.mark.parametrize("name", OVERLAPS)
def test_the_tail_fades_as_after_a_spectrum_of_zeros(kernel: Kernel, name: str) -> None:
    kept, out = OVERLAPS[name].copy(), np.ones(256, np.int16)
    kernel("silent_synthesis", kept, out)
    expected, heard = OVERLAPS[name].copy(), np.ones(256, np.int16)
    mask, spectrum = np.full(257, 32767, np.uint16), np.zeros((257, 2), np.int32)
    kernel("synthesis", frontend.window(), TWIDDLE, spectrum, mask, expected, heard)
    np.testing.assert_array_equal(out, heard)
    np.testing.assert_array_equal(kept, expected)
    assert not kept.any()
