# SPDX-License-Identifier: Apache-2.0
"""The rows of the experiment on streams where one addition is known to help, and its cost to be counted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from probe_streams import planted, switching

from dyncp.base.tasks import SNR_IN, VOICE_ACTIVITY
from dyncp.evaluation.context.context import ContextRow, context_rows, context_sheet, figure_of_merit
from dyncp.evaluation.context.temporal import flips
from dyncp.train.probes.data import ProbeData

FRAMES = 3000


def by_variant(train: ProbeData, test: ProbeData) -> dict[str, ContextRow]:
    return {row.variant: row for row in context_rows(train, test)}


def noisy_copies(truth: NDArray[np.bool_], seed: int, wrong: float = 0.3) -> NDArray[np.bool_]:
    """Four bits per frame, each wrong by itself with probability `wrong`."""
    return truth[:, None] ^ (np.random.default_rng(seed).random((len(truth), 4)) < wrong)


def test_smoothing_gains_where_bits_err_frame_by_frame() -> None:
    train, test = (planted(noisy_copies(truth, seed), truth) for seed in (1, 2) for truth in [switching(FRAMES, seed)])
    rows = by_variant(train, test)
    plain = rows["plain"]
    assert plain.gain == 0
    for variant in ("one-pole, k = 2", "majority of 5", "4 strongest bits of t − 4, 8, 16, 32"):
        gain = rows[variant].gain
        assert gain is not None
        assert gain > 0.03, variant
    assert (rows["one-pole, k = 2"].added_operations, rows["one-pole, k = 2"].added_bytes) == (6, 4)
    assert (rows["majority of 5"].added_operations, rows["majority of 5"].added_bytes) == (3, 6)


def test_past_masks_cost_the_flips_of_each_copy_and_a_ring() -> None:
    truths = [switching(FRAMES, seed) for seed in (3, 4)]
    # 16 bits: two bytes of packed masks. The label is what the masks said 16 frames ago.
    train, test = (planted(np.tile(noisy_copies(t, 5), 4), np.roll(t, 16)) for t in truths)
    row = by_variant(train, test)["16 strongest bits of t − 16"]
    assert row.gain is not None
    assert row.gain > 0.1
    assert row.added_bytes == 2 * 16
    assert row.added_weights == 16
    masks = test.observation.masks.reshape(FRAMES, -1)
    assert row.added_operations == pytest.approx(flips(masks), rel=0.02)


def test_late_answers_gain_where_masks_lag_and_say_their_latency() -> None:
    truths = [switching(FRAMES, seed, hold=20) for seed in (6, 7)]
    train, test = (planted(np.roll(noisy_copies(t, 8, wrong=0.05), 8, axis=0), t) for t in truths)
    rows = by_variant(train, test)
    gains = {frames: rows[f"answer {frames} frames late"].gain or 0.0 for frames in (4, 8, 12)}
    assert max(gains, key=gains.__getitem__) == 8
    # Eight frames of twenty belong to the block before, and half of those agree by chance: a fifth is to be won.
    assert gains[8] > 0.15
    assert rows["answer 8 frames late"].latency_frames == 8
    assert rows["answer 8 frames late"].added_operations == 0


def test_priors_trade_accuracy_for_balanced_accuracy() -> None:
    truths = [switching(FRAMES, seed, hold=5, share=0.9) for seed in (9, 10)]
    train, test = (planted(noisy_copies(t, 11), t) for t in truths)
    rows = by_variant(train, test)
    for variant in ("balanced class weights", "logit adjustment by training priors"):
        gain = rows[variant].gain
        assert gain is not None
        assert gain > 0.05
        assert (rows[variant].score.accuracy or 1) < (rows["plain"].score.accuracy or 0)
        assert rows[variant].added_operations == 0


def test_a_regression_is_neither_voted_on_nor_balanced() -> None:
    rng = np.random.default_rng(12)
    masks = rng.random((FRAMES, 6)) < 0.5
    speech = np.ones(FRAMES, np.bool_)
    labels = (3.0 * masks[:, 0] - 2.0 * masks[:, 1]).astype(np.float32)
    data = planted(masks, speech, SNR_IN, labels)
    rows = by_variant(data, data)
    assert figure_of_merit(rows["plain"].score) == pytest.approx(1, abs=0.01)
    assert not [variant for variant in rows if "majority" in variant or "balanced" in variant or "priors" in variant]
    # Bits of variance 1/4 under α = 1 keep 1/4 / (1/4 + 1), a fifth, of their weight: 0.8² of the variance is lost.
    assert rows["α = 1"].gain == pytest.approx(-0.64, abs=0.05)
    text = context_sheet(list(rows.values())).markdown()
    assert text.count("\n| snr_in |") == len(rows)
    assert VOICE_ACTIVITY.name not in text
