# SPDX-License-Identifier: Apache-2.0
"""Requantization, saturation and bit counting on any value; the transforms against the NumPy front end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import Kernel
from signals import EXTREMES, extreme, speech_like

from dyncp.codegen.lowering.frontend import band_of_bins, closed_thresholds, search_starts, twice_twiddle
from dyncp.export.integers.controls import Decision, choose, decide
from dyncp.export.transforms import frontend

INT32 = st.one_of(st.integers(-(2**31), 2**31 - 1), st.sampled_from([-(2**31), -1, 0, 1, 2**31 - 1]))
MULTIPLIER = st.one_of(st.integers(0, 2**30 - 1), st.sampled_from([0, 1, 2**30 - 1]))
TWIDDLE = twice_twiddle(frontend.twiddle())
AUDIO = {name: extreme(name, 6) for name in EXTREMES} | {"speech": speech_like(12)}


@given(a=INT32, m=MULTIPLIER)
def test_rmul_rounds_half_up(kernel: Kernel, a: int, m: int) -> None:
    assert kernel("rmul", a, m) == (a * m + 2**30) >> 31


@given(v=INT32)
def test_saturation_clamps_and_never_wraps(kernel: Kernel, v: int) -> None:
    out = np.zeros(4, np.int32)
    kernel("saturate", v, out)
    bounds = [(-128, 127), (-32768, 32767), (0, 127), (0, 32767)]
    assert out.tolist() == [min(max(v, low), high) for low, high in bounds]


@given(v=st.integers(0, 2**32 - 1))
def test_popcount(kernel: Kernel, v: int) -> None:
    assert kernel("popcount", v) == v.bit_count()


@pytest.mark.parametrize("period", [1, 2, 5])
@pytest.mark.parametrize("classes", [1, 2, 9])
def test_decisions(kernel: Kernel, classes: int, period: int) -> None:
    """Of scores near each other, where levels and ties count, and of any."""
    random = np.random.default_rng(classes)
    near, any_ = random.integers(-3, 4, (200, classes)), random.integers(-(2**31), 2**31, (200, classes))
    scores = np.where(random.random((200, 1)) < 0.8, near, any_).astype(np.int32)
    for level, hangover in ((0, 0), (-1 if classes == 1 else 1, 0), (2, 1), (0, 4), (3, 9999)):
        told, state = np.zeros(200, np.uint32), np.array([level % 2**32, hangover, 2**32 - 1, 2**32 - 1], np.uint32)
        kernel("decisions", state, scores, 200, classes, period, told)
        settings = [Decision(level, hangover)] * 200
        expected = decide(scores[:, 0], settings, period)[1] if classes == 1 else choose(scores, settings, period)
        np.testing.assert_array_equal(told, expected)


def test_a_corrupted_decision_is_still_a_class(kernel: Kernel) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        told, words = np.zeros(1, np.uint32), random.integers(0, 2**32, 4).astype(np.uint32)
        scores = random.integers(-(2**31), 2**31, 5).astype(np.int32)
        kernel("decisions", words, scores, 1, 5, 1, told)
        assert told[0] < 5


@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(1, 30))
@settings(max_examples=30)
def test_fft256(kernel: Kernel, seed: int, bits: int) -> None:
    z = np.random.default_rng(seed).integers(-(2**bits), 2**bits, (256, 2)).astype(np.int32)
    re, im = frontend.transform((z[None, :, 0].astype(np.int64), z[None, :, 1].astype(np.int64)))
    out = np.zeros_like(z)
    kernel("fft256", TWIDDLE, z, out)
    np.testing.assert_array_equal(out, np.stack([re[0], im[0]], axis=1))


@pytest.mark.parametrize("name", AUDIO)
def test_analysis_features_and_synthesis(kernel: Kernel, name: str) -> None:
    hops = AUDIO[name].reshape(-1, 256)
    thresholds = frontend.feature_thresholds(0.02)
    masks = np.random.default_rng(1).integers(0, 32768, (len(hops), 257)).astype(np.uint16)
    masks[:, :9] = 32767
    re, im = frontend.analysis(hops)
    features = frontend.features((re, im), thresholds)
    output = frontend.synthesis((re, im), masks.astype(np.int64))

    history, overlap = np.zeros(256, np.int16), np.zeros(256, np.int32)
    x, y, out = np.zeros((257, 2), np.int32), np.zeros(257, np.int8), np.zeros(256, np.int16)
    for i, hop in enumerate(hops):
        kernel("analysis", frontend.window(), TWIDDLE, hop, history, x)
        np.testing.assert_array_equal(x, np.stack([re[i], im[i]], axis=1))
        count(kernel, thresholds, x, y)
        np.testing.assert_array_equal(y, features[i])
        kernel("synthesis", frontend.window(), TWIDDLE, x, masks[i], overlap, out)
        np.testing.assert_array_equal(out, output[i])


def count(kernel: Kernel, thresholds: np.ndarray, x: np.ndarray, features: np.ndarray) -> None:
    kernel("features", closed_thresholds(thresholds), search_starts(thresholds), x, features)


def test_features_at_every_threshold(kernel: Kernel) -> None:
    roots = np.arange(257)
    x = np.stack([3 * roots, 4 * roots], axis=1).astype(np.int32)
    thresholds = ((5 * np.arange(1, 128)) ** 2).astype(np.uint64)
    y = np.zeros(257, np.int8)
    count(kernel, thresholds, x, y)
    np.testing.assert_array_equal(y, np.minimum(roots, 127))
    count(kernel, thresholds + np.uint64(1), x, y)
    np.testing.assert_array_equal(y, np.clip(roots - 1, 0, 127))


def test_features_of_the_faintest_powers(kernel: Kernel) -> None:
    """Every power that is a sum of two squares, on both sides of thresholds."""
    parts = np.array([(a, b) for a in range(5) for b in range(5)], np.int32)
    x = np.resize(parts, (257, 2))
    powers = (x.astype(np.int64) ** 2).sum(axis=1)
    y = np.zeros(257, np.int8)
    for first in (1, 3, 5, 7):
        for step in (1, 1000):
            thresholds = first + step * np.arange(127)
            count(kernel, thresholds.astype(np.uint64), x, y)
            np.testing.assert_array_equal(y, np.searchsorted(thresholds, powers, side="right"))


@pytest.mark.parametrize("bands", [1, 3, 48, 64, 256])
def test_features_and_synthesis_of_bands(kernel: Kernel, bands: int) -> None:
    inner = np.sort(np.random.default_rng(bands).choice(np.arange(1, 257), bands - 1, replace=False))
    edges = [0, *inner.tolist(), 257]
    hops = AUDIO["speech"].reshape(-1, 256)[:4]
    thresholds = frontend.feature_thresholds(0.02)
    re, im = frontend.analysis(hops)
    wanted = frontend.features((re, im), thresholds, edges)
    masks = np.random.default_rng(1).integers(0, 32768, (len(hops), bands)).astype(np.uint16)
    output = frontend.synthesis((re, im), frontend.over_bins(masks.astype(np.int64), edges))

    tables = closed_thresholds(thresholds), search_starts(thresholds)
    widths = np.array(edges, np.uint16), frontend.reciprocals(edges)
    overlap, out = np.zeros(256, np.int32), np.zeros(256, np.int16)
    # Nothing behind the last band is written.
    y = np.full(bands + 4, 99, np.int8)
    for i in range(len(hops)):
        x = np.stack([re[i], im[i]], axis=1).astype(np.int32)
        kernel("band_features", *tables, *widths, bands, x, y)
        np.testing.assert_array_equal(y, [*wanted[i], 99, 99, 99, 99])
        kernel("band_synthesis", frontend.window(), TWIDDLE, band_of_bins(edges), x, masks[i], overlap, out)
        np.testing.assert_array_equal(out, output[i])


@pytest.mark.parametrize("count", [1, 7, 9, 48])
def test_suppression_of_bands_writes_no_further(kernel: Kernel, count: int) -> None:
    logits = np.random.default_rng(count).integers(-32768, 32768, 64)
    mask = np.full(64, 7, np.uint16)
    kernel("suppression", frontend.sigmoid(), logits.astype(np.int16), mask, count)
    np.testing.assert_array_equal(mask[:count], frontend.suppression(logits[:count]))
    assert np.all(mask[count:] == 7)


def test_suppression_of_every_logit(kernel: Kernel) -> None:
    logits = np.arange(-32768, 32768)
    expected = frontend.suppression(logits)
    padded = np.append(logits, [0] * (257 * 256 - len(logits))).astype(np.int16).reshape(-1, 257)
    mask = np.zeros_like(padded, dtype=np.uint16)
    for row, out in zip(padded, mask, strict=True):
        kernel("suppression", frontend.sigmoid(), row, out, 257)
    np.testing.assert_array_equal(mask.ravel()[: len(logits)], expected)
    assert expected.max() <= 32767
