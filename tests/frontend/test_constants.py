# SPDX-License-Identifier: Apache-2.0
"""The constant tables and the feature thresholds are what docs/arithmetic.md, sections 2 and 5, defines."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyncp.base.errors import QuantizationError
from dyncp.export.transforms import frontend


def test_window_squared_overlaps_to_one() -> None:
    squared = (frontend.window().astype(np.float64) / 2**15) ** 2
    assert np.abs(squared[:256] + squared[256:] - 1).max() < 1e-4
    assert frontend.window().dtype == np.int16
    assert frontend.window()[0] == 0
    assert frontend.window()[256] == 32767


def test_twiddles_are_inside_the_range_of_rmul() -> None:
    table = frontend.twiddle()
    assert table.dtype == np.int32
    assert table.shape == (256, 2)
    assert np.abs(table.astype(np.int64)).max() < 2**30
    assert np.abs(np.hypot(*table.astype(np.float64).T) / 2**30 - 1).max() < 2e-9
    assert table[128].tolist() == [0, -(2**30) + 1]


def test_sigmoid_increases_and_is_symmetric() -> None:
    table = frontend.sigmoid().astype(np.int64)
    assert table.shape == (257,)
    assert np.all(np.diff(table) >= 0)
    assert np.abs(table + table[::-1] - 32767).max() <= 1


def test_suppression_follows_the_sigmoid_over_all_logits() -> None:
    logits = np.arange(-32768, 32768)
    mask = frontend.suppression(logits)
    assert mask.min() >= 0
    assert mask.max() <= 32767
    assert np.abs(mask / 32767 - 1 / (1 + np.exp(-logits / 1024))).max() < 1e-3


@pytest.mark.parametrize("scale", [0.01, 0.0162, 0.03, 0.055])
def test_thresholds_are_the_exact_ceilings(scale: float) -> None:
    with localcontext() as context:
        context.prec = 80
        for i, threshold in enumerate(frontend.feature_thresholds(scale), start=1):
            x = (Decimal(i) - Decimal("0.5")) * Decimal(scale)
            exact = 2**42 * (x.ln() * 20 / 3).exp()
            assert int(threshold) - 1 < exact <= int(threshold)


@given(st.integers(0, 2**30), st.integers(0, 2**30), st.floats(0.01, 0.055))
def test_features_are_the_rounded_compressed_magnitude(re: int, im: int, scale: float) -> None:
    spectrum = (np.array([[re]], np.int64), np.array([[-im]], np.int64))
    feature = int(frontend.features(spectrum, frontend.feature_thresholds(scale))[0, 0])
    exact = (np.hypot(re, im) / 2**21) ** 0.3 / scale
    # The last term is what float64 cannot tell at a boundary.
    assert abs(feature - min(exact, 127)) <= 0.5 + 1e-9


@pytest.mark.parametrize("scale", [0.0, -0.02, float("nan"), float("inf"), 1e-3, 0.2])
def test_a_feature_scale_that_cannot_be_is_refused(scale: float) -> None:
    with pytest.raises(QuantizationError, match="features"):
        frontend.feature_thresholds(scale)
