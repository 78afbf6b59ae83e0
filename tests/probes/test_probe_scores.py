# SPDX-License-Identifier: Apache-2.0
"""Scores against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dyncp.base.errors import ProbeError
from dyncp.base.scores import score
from dyncp.base.tasks import SNR_IN, VOICE_ACTIVITY, classes_task

THREE = classes_task("noise", ["car", "hum", "rain"], "all")


def test_binary() -> None:
    words = np.array([[2.0], [1.0], [-1.0], [0.0], [-2.0], [9.0]])
    labels = np.array([1, 0, 1, 0, 0, -1], np.int16)
    found = score(words, labels, labels >= 0, VOICE_ACTIVITY)
    # Decided 1 1 0 0 0 (a word of 0 is no speech); true 1 0 1 0 0.
    assert found.frames == 5
    assert found.majority == pytest.approx(3 / 5)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.balanced_accuracy == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.f1 == pytest.approx(1 / 2)
    # Of the 2 × 3 pairs, (2, 1), (2, 0), (2, −2), (−1, −2) are in order.
    assert found.auc == pytest.approx(4 / 6)
    assert found.r2 is None
    assert found.mae is None


def test_multiclass() -> None:
    words = np.array([[3.0, 0, 0], [0, 2, 1], [0, 1, 2], [0, 5, 0]])
    labels = np.array([0, 1, 1, 2], np.int16)
    found = score(words, labels, np.ones(4, bool), THREE)
    # Decided 0 1 2 1.
    assert found.majority == found.accuracy == pytest.approx(1 / 2)
    assert found.balanced_accuracy == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found.f1 == pytest.approx((1 + 1 / 2 + 0) / 3)
    # Class 0: 3 of 3 pairs. Class 1, log-odds −3.7, 0.7, −1.1, 4.3: 0.7 > −3.7, −1.1 > −3.7 of 4. Class 2, −3.7, −1.1,
    # 0.7, −5.0: none of 3.
    assert found.auc == pytest.approx((1 + 2 / 4 + 0) / 3)


def test_classes_that_the_labels_lack() -> None:
    words = np.array([[3.0, 0, 0], [0, 2, 1], [0, 1, 2]])
    two = score(words, np.array([0, 1, 1], np.int16), np.ones(3, bool), THREE)
    assert two.balanced_accuracy == pytest.approx((1 + 1 / 2) / 2)
    one = score(words, np.array([1, 1, 1], np.int16), np.ones(3, bool), THREE)
    assert one.auc is None
    assert one.majority == 1.0


def test_regression() -> None:
    labels = np.array([0.0, 1, 2, 3, 4, np.nan])
    words = np.array([[1.0], [1], [2], [5], [4], [0]])
    found = score(words, labels, np.isfinite(labels), SNR_IN)
    assert found.frames == 5
    assert found.mae == pytest.approx(3 / 5)
    assert found.rmse == pytest.approx(1.0)
    assert found.r2 == pytest.approx(1 - 5 / 10)
    # The quartiles are 1 and 3: errors 0, 0, 2.
    assert found.mae_iqr == pytest.approx(2 / 3)
    assert found.rmse_iqr == pytest.approx(np.sqrt(4 / 3))
    assert found.accuracy is None
    flat = score(words, np.full(6, 2.0), np.ones(6, bool), SNR_IN)
    assert flat.r2 is None
    assert flat.mae == pytest.approx(9 / 6)


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(ProbeError, match="probe snr_in: no frame"):
        score(np.zeros((3, 1)), np.full(3, np.nan), np.zeros(3, bool), SNR_IN)
