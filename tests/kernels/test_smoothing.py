# SPDX-License-Identifier: Apache-2.0
"""Integer smoothing: the kernel equals the reference and a literal reading, never overflows, and settles exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import Kernel
from numpy.typing import NDArray

from dyncp.base.tasks import Period
from dyncp.export.formats.bundle import Probes, ProbeTask
from dyncp.export.formats.probe_set import SMOOTHED_LIMIT
from dyncp.export.integers.readout import probe_signals, smoothed

LARGEST = SMOOTHED_LIMIT - 1
TIMED: list[tuple[int, Period]] = [(0, 1), (2, 1), (5, 4)]


def task(shift: int, period: Period) -> ProbeTask:
    return ProbeTask(name=f"t{shift}", kind="regression", outputs=1, q=0, unit="dB", smoothing=shift, period=period)


def in_c(kernel: Kernel, shift: int, words: list[int], bias: int, outputs: int = 1) -> tuple[list[int], list[int]]:
    """Signals and averages, frame by frame, of the last of several outputs; the others have words of their own."""
    average, signal = np.full(outputs + 1, 7, np.int32), np.full(outputs + 1, 7, np.int32)
    word = np.full(outputs, -bias, np.int32)
    word[-1] = bias
    kernel("smooth_start", word, average, outputs)
    signals, averages = [], []
    for value in words:
        word[:-1], word[-1] = -value, value
        kernel("smooth", shift, word, average, signal, outputs)
        signals.append(int(signal[-2]))
        averages.append(int(average[-2]))
    assert average[-1] == signal[-1] == 7, "nothing behind them is written"
    return signals, averages


Word = st.one_of(st.integers(-LARGEST, LARGEST), st.sampled_from([-LARGEST, LARGEST, 0, -1, 1]))


@given(words=st.lists(Word, min_size=1, max_size=60), bias=Word, shift=st.integers(0, 7), outputs=st.integers(1, 9))
@settings(max_examples=60)
def test_kernel_reference_and_literal_reading_agree(
    kernel: Kernel, words: list[int], bias: int, shift: int, outputs: int
) -> None:
    signals, averages = in_c(kernel, shift, words, bias, outputs)
    average = 256 * bias
    for word, signal, got in zip(words, signals, averages, strict=True):
        assert abs(256 * word - average) < 2**31
        average += (256 * word - average) // 2**shift  # floor
        assert (got, signal) == (average, (average + 128) // 256)
    column: NDArray[np.int32] = np.array(words, np.int32)[:, None]
    assert smoothed(column, shift, np.array([bias])).ravel().tolist() == signals


@pytest.mark.parametrize("kernel", ["gcc", "clang"], indirect=True, scope="session")
@pytest.mark.parametrize("shift", range(8))
@pytest.mark.parametrize(("before", "after"), [(-LARGEST, LARGEST), (LARGEST, -LARGEST), (0, 1), (0, -1), (7, 7)])
def test_a_constant_word_is_reached_exactly(kernel: Kernel, shift: int, before: int, after: int) -> None:
    signals, _ = in_c(kernel, shift, [after] * 3000, before)
    assert signals[-1] == after
    assert sorted(signals, reverse=before > after) == signals, "a step response is monotonic"
    if shift == 0:
        assert signals[0] == after


def test_each_task_has_its_own_smoothing_and_period() -> None:
    words = np.random.default_rng(0).integers(-1000, 1000, (50, 3)).astype(np.int32)
    bias = np.array([5, 6, 7], np.int32)
    tasks = [task(k, period) for k, period in TIMED]
    probes = Probes(np.zeros((1, 3), np.int8), bias, np.zeros(1, np.int32), tasks)
    signals = probe_signals(probes, words)
    assert signals.dtype == np.int32
    assert signals[:, 0].tolist() == words[:, 0].tolist()
    assert signals[:, 1].tolist() == smoothed(words[:, 1:2], 2, bias[1:2]).ravel().tolist()
    # Two frames by hand: k = 2 from a bias of 6.
    first = 256 * 6 + ((256 * int(words[0, 1]) - 256 * 6) >> 2)
    second = first + ((256 * int(words[1, 1]) - first) >> 2)
    assert signals[:2, 1].tolist() == [(first + 128) >> 8, (second + 128) >> 8]
    # Frames 0, 4, 8, … are told, and hold.
    told = smoothed(words[::4, 2:], 5, bias[2:]).ravel()
    assert signals[:, 2].tolist() == np.repeat(told, 4)[:50].tolist()


def test_what_is_not_smoothed_is_the_word() -> None:
    words = np.array([[90], [26]], np.int32)
    assert smoothed(words, 0, np.array([7])).ravel().tolist() == [90, 26]
    assert smoothed(words[:0], 6, np.array([7])).shape == (0, 1)
