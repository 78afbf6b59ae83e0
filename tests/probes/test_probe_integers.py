# SPDX-License-Identifier: Apache-2.0
"""Probes in integers: close to the float words, in int8 only where no task loses by it, within the bits they have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dyncp.base.config.framing import BINS, HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import QuantizationError
from dyncp.base.scores import Score
from dyncp.base.tasks import SNR_IN, VOICE_ACTIVITY, Task, classes_task
from dyncp.export.formats.bundle import Probes
from dyncp.export.formats.probe_set import largest_words
from dyncp.export.integers.readout import probe_words
from dyncp.export.quantization.probes import integer_scores, is_worse, narrowest, quantize_probes
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.files import FloatProbes
from dyncp.train.probes.observation import Observation
from dyncp.train.streams.streams import Stream

CONFIG = NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1, 2), gate=2)
CHANNELS = np.r_[0:8, 32:40].astype(np.int32)
T = 2000
ACTIVE = np.random.default_rng(5).random((T, 2, 8)) < 0.5
LEVEL = SNR_IN.model_copy(update={"frames": "all"})
EVEN = np.linspace(-1, 1.3, 16)
# One weight takes the whole range, and leaves nothing of the others in 8 bits; its bit hardly ever changes.
STEEP = np.r_[100.0, EVEN[1:] / 4]


def float_probes(*weights: tuple[Task, NDArray[np.float64]]) -> FloatProbes:
    columns = np.column_stack([weight for _, weight in weights])
    return FloatProbes(columns, -columns[1:].sum(axis=0) / 2, CHANNELS, [task for task, _ in weights])


def data(probes: FloatProbes, active: NDArray[np.bool_]) -> ProbeData:
    """Labels are what the float words say."""
    words = probes.words(active.reshape(len(active), -1), CHANNELS)
    labels = {
        task.name: words[:, i] if task.kind == "regression" else (words[:, i] > 0).astype(np.int16)
        for i, task in enumerate(probes.tasks)
    }
    silence, nothing = np.zeros(len(active) * HOP, np.int16), np.zeros((len(active), BINS), np.float32)
    seen = Observation(active, active.astype(np.float32), nothing, nothing, silence)
    return ProbeData(Stream(silence, silence, silence, (), ()), seen, labels, probes.tasks)


def test_integer_words_follow_the_float_words() -> None:
    probes = float_probes((VOICE_ACTIVITY, EVEN), (LEVEL, 7 * EVEN[::-1]))
    wanted = probes.words(ACTIVE.reshape(T, -1), CHANNELS)
    for bits, fractions in ((8, [6, 3]), (16, [12, 11])):
        integers = quantize_probes(probes, bits)
        assert [task.q for task in integers.tasks] == fractions
        assert integers.weight.dtype == np.dtype(f"int{bits}")
        words = probe_words(integers, CONFIG, ACTIVE) / 2.0 ** np.array(fractions)
        # Each of 16 weights and the bias is off by half a unit at most.
        assert (np.abs(words - wanted) <= 17 / 2 / 2.0 ** np.array(fractions)).all()


def test_int8_is_taken_where_it_costs_no_task_anything() -> None:
    rare = ACTIVE.copy()
    rare[:, 0, 0] = np.arange(T) == 0
    for weights, width in (
        ([(VOICE_ACTIVITY, EVEN)], 8),
        ([(VOICE_ACTIVITY, STEEP)], 16),
        ([(VOICE_ACTIVITY, EVEN), (LEVEL, STEEP)], 16),
        ([(LEVEL, EVEN), (VOICE_ACTIVITY, STEEP)], 16),
    ):
        probes = float_probes(*weights)
        assert narrowest(probes, CONFIG, data(probes, rare)).bits == width
    # A regression whose noise hides the rounding takes int8; with none, rounding is all its error.
    level = float_probes((LEVEL, EVEN))
    exact = data(level, rare)
    noisy = {"snr_in": exact.labels["snr_in"] + 3 * np.random.default_rng(0).standard_normal(T)}
    assert narrowest(level, CONFIG, exact).bits == 16
    assert narrowest(level, CONFIG, replace(exact, labels=noisy)).bits == 8


@pytest.mark.parametrize(
    ("narrow", "wide", "worse"),
    [
        ({"auc": 0.9, "balanced_accuracy": 0.8}, {"auc": 0.9, "balanced_accuracy": 0.8}, False),
        ({"auc": 0.899, "balanced_accuracy": 0.8}, {"auc": 0.9, "balanced_accuracy": 0.8}, True),
        ({"auc": 0.9, "balanced_accuracy": 0.799}, {"auc": 0.9, "balanced_accuracy": 0.8}, True),
        ({"auc": 0.8996, "balanced_accuracy": 0.7996}, {"auc": 0.9, "balanced_accuracy": 0.8}, False),
        ({"auc": 0.95, "balanced_accuracy": 0.9}, {"auc": 0.9, "balanced_accuracy": 0.8}, False),
        ({"balanced_accuracy": 0.799}, {"balanced_accuracy": 0.8}, True),
        ({"auc": 0.5}, {"balanced_accuracy": 0.8}, False),
        ({"mae": 1.0099}, {"mae": 1.0}, False),
        ({"mae": 1.01}, {"mae": 1.0}, False),
        ({"mae": 1.0101}, {"mae": 1.0}, True),
        ({"mae": 1.0, "auc": 0.8}, {"auc": 0.9}, True),
        ({"auc": 0.0}, {"auc": 0.0005}, False),
    ],
)
def test_one_figure_that_is_worse_is_enough(narrow: dict[str, float], wide: dict[str, float], worse: bool) -> None:
    assert is_worse(Score(frames=9, **narrow), Score(frames=9, **wide)) == worse


def test_scores_are_those_of_the_smoothed_signals() -> None:
    """A bit that flickers around a truth that stays: the average over frames is right more often."""
    rng = np.random.default_rng(1)
    truth = np.repeat(rng.random(T // 50) < 0.5, 50)
    active = np.zeros((T, 2, 8), bool)
    active[:, 0, 0] = truth ^ (rng.random(T) < 0.25)
    weight = np.r_[2.0, np.zeros(15)]
    accuracy = {}
    for shift in (0, 2):
        task = VOICE_ACTIVITY.model_copy(update={"smoothing": shift})
        probes = replace(float_probes((task, weight)), bias=np.array([-1.0]))
        labelled = replace(data(probes, active), labels={"vad": truth.astype(np.int16)})
        accuracy[shift] = integer_scores(quantize_probes(probes, 8), CONFIG, labelled)["vad"].accuracy
    assert accuracy[0] == pytest.approx(0.75, abs=0.03)
    assert accuracy[2] is not None
    assert accuracy[2] > 0.85


@given(
    weight=st.lists(st.floats(-200, 200), min_size=16, max_size=16),
    bias=st.floats(-5000, 5000),
    bits=st.sampled_from([8, 16]),
)
@settings(max_examples=100)
def test_words_can_always_be_smoothed(weight: list[float], bias: float, bits: int) -> None:
    probes = FloatProbes(np.array(weight)[:, None], np.array([bias]), CHANNELS, [LEVEL])
    try:
        integers = quantize_probes(probes, bits)  # type: ignore[arg-type]
    except QuantizationError:
        assert bits == 8
        assert np.abs(weight).max() > 127
        return
    assert largest_words(integers).max() < 2**22
    assert 0 <= integers.tasks[0].q <= 12


def quantized_classes(weight: float, bias: float) -> Probes:
    """A task of two classes with a weight and a bias of the second one; all else is 0."""
    weights = np.zeros((16, 2))
    weights[3, 1] = weight
    noise = classes_task("noise", ["hum", "street"], "all")
    return quantize_probes(FloatProbes(weights, np.array([0, bias]), CHANNELS, [noise]), 8)


@pytest.mark.parametrize(
    ("weight", "bias", "q"),
    [
        # 127 of int8, and a bit more.
        (127, 0, 0),
        (127 / 4096, 0, 12),
        (128 / 4096, 0, 11),
        # 2^22 of a word, and a bit less.
        (0, 1024, 11),
        (0, -1024, 11),
        (0, 1023, 12),
        (0, -1023, 12),
        (0.01, 1023.98, 12),
        (0.03, 1023.98, 11),
        (0, 2e6, 1),
    ],
)
def test_the_most_fraction_bits_that_fit(weight: float, bias: float, q: int) -> None:
    integers = quantized_classes(weight, bias)
    assert [task.q for task in integers.tasks] == [q]
    assert (integers.weight[3, 1], integers.bias[1]) == (round(weight * 2**q), round(bias * 2**q))


@pytest.mark.parametrize("bias", [np.nan, -np.inf, 5e6, -1e300])
def test_a_bias_that_does_not_fit_is_refused(bias: float) -> None:
    complaint = "weights up to 0 .* larger unit" if np.isfinite(bias) else "not finite"
    with pytest.raises(QuantizationError, match=f"probe noise: .*{complaint}"):
        quantized_classes(0, bias)


@pytest.mark.parametrize(
    ("weight", "complaint"), [(np.nan, "finite"), (np.inf, "finite"), (1e6, r"up to 1e\+06 .*larger unit")]
)
def test_weights_that_do_not_fit_are_refused(weight: float, complaint: str) -> None:
    probes = float_probes((VOICE_ACTIVITY, EVEN))
    probes.weight[3] = weight
    with pytest.raises(QuantizationError, match=f"probe vad: .*{complaint}"):
        quantize_probes(probes, 16)
