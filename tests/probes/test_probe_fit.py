# SPDX-License-Identifier: Apache-2.0
"""Fitting on rules that were planted: the probe must find them, whatever the unit, the class order and the features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dyncp.base.errors import ProbeError
from dyncp.base.scores import score
from dyncp.base.tasks import SNR_IN, VOICE_ACTIVITY, Task, classes_task
from dyncp.train.probes.linear import fit, informative

T, F = 4000, 30
LEVEL = SNR_IN.model_copy(update={"name": "level", "frames": "all"})
THREE = classes_task("noise", ["car", "hum", "rain"], "all")
TWO = classes_task("gender", ["F", "M"], "all")
EVERY = np.ones(T, bool)


def random_bits(seed: int = 0) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((T, F)) < 0.4


def test_a_planted_rule_of_bits_is_found_and_dead_bits_are_dropped() -> None:
    bits = random_bits()
    bits[:, 3] = True
    bits[:, 4] = False
    speech = (bits[:, 10] & ~bits[:, 20]).astype(np.int16)
    probe = fit(bits, speech, EVERY, VOICE_ACTIVITY)
    assert np.flatnonzero(~probe.kept).tolist() == [3, 4]
    assert not probe.weight[~probe.kept].any()
    assert set(np.argsort(-np.abs(probe.weight[:, 0]))[:2]) == {10, 20}
    assert probe.weight[10, 0] > 0 > probe.weight[20, 0]
    fresh = random_bits(1)
    found = score(probe.words(fresh), (fresh[:, 10] & ~fresh[:, 20]).astype(np.int16), EVERY, VOICE_ACTIVITY)
    assert found.auc == 1.0


@pytest.mark.parametrize("unit", [0.001, 1.0, 5000.0])
def test_a_regression_speaks_the_unit_of_its_labels(unit: float) -> None:
    bits = random_bits()
    rule = np.zeros(F)
    rule[[2, 5, 7]] = 12, -6, 3
    labels = (unit * (bits @ rule - 4)).astype(np.float32)
    probe = fit(bits, labels, EVERY, LEVEL, alpha=1e-6)
    assert probe.weight[:, 0] == pytest.approx(unit * rule, abs=1e-3 * unit)
    assert probe.bias[0] == pytest.approx(-4 * unit, abs=1e-3 * unit)


def test_the_penalty_is_that_of_the_closed_form() -> None:
    """One feature z, half 0 and half 1, y = z: w = cov/(var + α · var(y)), with α in units of the labels' variance."""
    bits = np.tile([[False], [True]], (T // 2, 1))
    probe = fit(bits, bits[:, 0].astype(np.float32), EVERY, LEVEL, alpha=0.5)
    assert probe.weight[0, 0] == pytest.approx(0.25 / (0.25 + 0.5), abs=1e-4)
    doubled = fit(np.tile(bits, (2, 1)), np.tile(bits[:, 0], 2).astype(np.float32), np.ones(2 * T, bool), LEVEL)
    assert doubled.weight[0, 0] == pytest.approx(0.25 / (0.25 + 0.01), abs=1e-4)


def test_outputs_are_in_the_order_of_the_classes() -> None:
    bits = random_bits()
    bits[:, :3] = np.eye(3, dtype=bool)[np.random.default_rng(1).integers(0, 3, T)]
    # Class 0 is where bit 2 is set, class 1 bit 0, class 2 bit 1.
    labels = np.array([1, 2, 0], np.int16)[bits[:, :3].argmax(axis=1)]
    probe = fit(bits, labels, EVERY, THREE)
    assert probe.weight.shape == (F, 3)
    assert probe.weight.argmax(axis=0).tolist() == [2, 0, 1]
    assert (probe.words(bits).argmax(axis=1) == labels).all()


def test_two_classes_are_symmetric() -> None:
    bits = random_bits()
    probe = fit(bits, bits[:, 6].astype(np.int16), EVERY, TWO)
    as_binary = fit(bits, bits[:, 6].astype(np.int16), EVERY, VOICE_ACTIVITY)
    assert (probe.weight[:, 0] == -probe.weight[:, 1]).all()
    assert probe.bias[0] == -probe.bias[1]
    assert probe.words(bits)[:, 1] - probe.words(bits)[:, 0] == pytest.approx(as_binary.words(bits)[:, 0])


def test_a_class_without_a_frame_never_wins() -> None:
    bits = random_bits()
    for labels in (2 * bits[:, 6].astype(np.int16), bits[:, 6].astype(np.int16) + bits[:, 7]):
        task = THREE if labels.max() == 2 and not (labels == 1).any() else classes_task("n", list("abcd"), "all")
        probe = fit(bits, labels, EVERY, task)
        assert set(np.unique(probe.words(bits).argmax(axis=1))) <= set(np.unique(labels))
        assert np.isfinite(probe.words(bits)).all()


def test_balancing_moves_the_decision_to_the_rare_class() -> None:
    rng = np.random.default_rng(2)
    bits = random_bits()
    rare = (rng.random(T) < np.where(bits[:, 8], 0.2, 0.02)).astype(np.int16)
    plain, balanced = (fit(bits, rare, EVERY, VOICE_ACTIVITY, balanced=b) for b in (False, True))
    assert balanced.bias[0] > plain.bias[0] + 1
    scores = [score(probe.words(bits), rare, EVERY, VOICE_ACTIVITY) for probe in (plain, balanced)]
    assert scores[0].balanced_accuracy == pytest.approx(0.5)
    assert scores[1].balanced_accuracy is not None
    assert scores[1].balanced_accuracy > 0.65


@given(scale=st.floats(1e-3, 1e4), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
@settings(max_examples=20)
def test_z_scoring_is_folded_in(scale: float, shift: float, seed: int) -> None:
    """Features of any scale and offset give the words of the plain ones."""
    values = np.random.default_rng(seed).standard_normal((500, 4)).astype(np.float32)
    labels = (values[:, 0] + 0.5 * values[:, 1] > 0.2).astype(np.int16)
    used = np.arange(500) < 400
    moved = (scale * (values + shift)).astype(np.float32)
    # What float32 has left of the values.
    again = (moved.astype(np.float64) / scale - shift).astype(np.float32)
    words = fit(again, labels, used, VOICE_ACTIVITY).words(again)
    assert fit(moved, labels, used, VOICE_ACTIVITY).words(moved) == pytest.approx(words, abs=2e-2)


def test_only_used_frames_count_and_constant_columns_are_dropped() -> None:
    values = np.random.default_rng(3).standard_normal((T, 5)).astype(np.float32)
    values[:, 2] = 7.1
    labels = (3 * values[:, 1]).astype(np.float32)
    used = np.arange(T) < 3000
    values[~used] *= 50
    labels[~used] = np.nan
    probe = fit(values, labels, used, LEVEL, alpha=1e-6)
    assert probe.kept.tolist() == [True, True, False, True, True]
    assert probe.weight[:, 0] == pytest.approx([0, 3, 0, 0, 0], abs=1e-3)
    with pytest.raises(ProbeError, match="features never change"):
        fit(values[:, 2:3], labels, used, LEVEL)


def test_the_strongest_features_are_those_that_were_planted() -> None:
    bits = random_bits()
    rule = np.zeros(F)
    rule[[1, 11, 21]] = 5, -7, 6
    probe = fit(bits, (bits @ rule).astype(np.float32), EVERY, LEVEL, strongest=3)
    assert np.flatnonzero(probe.kept).tolist() == [1, 11, 21]
    assert np.flatnonzero(probe.weight[:, 0]).tolist() == [1, 11, 21]
    assert fit(bits, (bits @ rule).astype(np.float32), EVERY, LEVEL, strongest=F).kept.all()


def test_words_of_no_frame_and_of_many() -> None:
    bits = np.random.default_rng(0).random((20_000, 5)) < 0.5
    probe = fit(bits, bits[:, 0].astype(np.int16), np.ones(20_000, bool), VOICE_ACTIVITY)
    assert probe.words(bits[:0]).shape == (0, 1)
    assert probe.words(bits) == pytest.approx(bits @ probe.weight + probe.bias)


@pytest.mark.parametrize(
    ("task", "label"), [(VOICE_ACTIVITY, 1), (VOICE_ACTIVITY, 0), (THREE, 2), (LEVEL, 3.5)], ids=str
)
def test_constant_labels_are_refused(task: Task, label: float) -> None:
    with pytest.raises(ProbeError, match=rf"probe {task.name}: all 4000 frames have the label .*use more"):
        fit(random_bits(), np.full(T, label), EVERY, task)
    with pytest.raises(ProbeError, match="no frame has a label"):
        fit(random_bits(), np.full(T, label), ~EVERY, task)


def test_informative_is_the_standard_deviation_above_tau() -> None:
    bits = np.zeros((100_000, 3), bool)
    # std = sqrt(p (1 − p)): 0.005 is p = 2.5e-5.
    bits[:2, 0] = bits[:3, 1] = bits[:99_998, 2] = True
    assert informative(bits).tolist() == [False, True, False]
