# SPDX-License-Identifier: Apache-2.0
"""A poor probe is said to be poor, and a good one is not."""

from __future__ import annotations

import pytest

from dyncp.base.scores import Score
from dyncp.firmware.report.contents.verdict import remark


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (Score(frames=9, r2=-13.8, mae=0.1), "no better than always saying the mean"),
        (Score(frames=9, r2=0.2), "weak"),
        (Score(frames=9, r2=0.6), ""),
        (Score(frames=9, majority=0.5, accuracy=0.6, balanced_accuracy=0.5, auc=0.55), "hardly better than chance"),
        (Score(frames=9, majority=0.7, accuracy=0.65, balanced_accuracy=0.7, auc=0.8), "commonest class"),
        (Score(frames=9, majority=0.5, accuracy=0.9, balanced_accuracy=0.9, auc=0.97), ""),
        # One class alone was there: nothing can be ranked.
        (Score(frames=9, majority=1.0, accuracy=0.8), "commonest class"),
    ],
)
def test_remark(score: Score, said: str) -> None:
    assert said in remark(score) if said else remark(score) == ""
