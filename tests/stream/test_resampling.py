# SPDX-License-Identifier: Apache-2.0
"""The filter between 48 and 16 kHz: where it came from, what it attenuates, and that no sum of it overflows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import dyncp.firmware
from dyncp.bench.product.filter import PASS, STOP, design, measure
from dyncp.export.transforms import resampling
from dyncp.export.transforms.resampling import DELAY, LOWPASS, down, phases, up


def tone(hertz: float, count: int = 9600, amplitude: float = 20000) -> np.ndarray:
    return np.round(amplitude * np.sin(2 * np.pi * hertz / 48000 * np.arange(count) + 0.3)).astype(np.int16)


def decibels(signal: np.ndarray, against: np.ndarray) -> float:
    ratio = np.mean(signal.astype(float) ** 2) / np.mean(against.astype(float) ** 2)
    return float(10 * np.log10(ratio + 1e-30))


def test_the_coefficients_are_those_of_the_design() -> None:
    np.testing.assert_array_equal(design(), LOWPASS)
    np.testing.assert_array_equal(LOWPASS, LOWPASS[::-1])


def test_the_c_has_the_same_coefficients() -> None:
    text = (Path(dyncp.firmware.__file__).parent / "stream" / "dyncp_resample.h").read_text()
    table = text.split("dcp_lowpass[3][DCP_TAPS] = {")[1].split(";")[0]
    np.testing.assert_array_equal([int(n) for n in re.findall(r"-?\d+", table)], phases().ravel())


def test_what_the_filter_reaches() -> None:
    found = measure(LOWPASS)
    assert found.stopband > 83
    assert found.ripple < 0.02
    assert (PASS, STOP) == (6800, 9000)


def test_sums_of_half_a_phase_fit_32_bits_and_of_all_taps_the_requantization() -> None:
    magnitudes = np.abs(phases().astype(np.int64))
    assert magnitudes[:, :16].sum(axis=1).max() < 2**16
    assert magnitudes[:, 16:].sum(axis=1).max() < 2**16
    assert magnitudes.sum() * 32768 < 2**33
    loudest = np.where(np.resize(LOWPASS, 96)[::-1] > 0, 32767, -32768).astype(np.int16)
    assert down(loudest)[-1] == 32767
    assert down(~loudest)[-1] == -32768


def test_down_keeps_what_is_below_and_removes_what_is_above() -> None:
    for hertz in (100, 1000, 6800):
        low, heard = down(tone(hertz)), tone(hertz)[::3]
        assert abs(decibels(low[100:], heard[100:])) < 0.05
    for hertz in (9000, 12000, 15000, 23000):
        # What is left are the rounded samples themselves: some LSB.
        assert decibels(down(tone(hertz))[100:], tone(hertz)) < -80


def test_up_makes_no_image() -> None:
    low = np.round(20000 * np.sin(2 * np.pi * 3000 / 16000 * np.arange(4000))).astype(np.int16)
    spectrum = np.abs(np.fft.rfft(up(low)[600:] * np.hanning(len(up(low)) - 600)))
    hertz = np.fft.rfftfreq(len(up(low)) - 600, 1 / 48000)
    assert 20 * np.log10(spectrum[hertz > 9000].max() / spectrum.max()) < -80


def test_the_delay_is_what_it_says() -> None:
    spectrum = np.zeros(3001, complex)
    spectrum[100:700] = np.exp(1j * np.random.default_rng(0).uniform(0, 2 * np.pi, 600))  # 0.8 to 5.6 kHz
    noise = np.round(np.fft.irfft(spectrum) * 5e5).astype(np.int16)
    # Samples come out two later than they are counted: a third one completes three.
    passed = np.concatenate([[0, 0], up(down(noise))])[: len(noise)]
    error = passed[DELAY:] - noise[:-DELAY].astype(float)
    assert decibels(error[500:], noise) < -50
    for other in (DELAY - 1, DELAY + 1):
        assert decibels(passed[other:][500:5000] - noise[500:5000].astype(float), noise) > decibels(error[500:], noise)


def test_silence_and_extremes() -> None:
    assert not down(np.zeros(300, np.int16)).any()
    for level in (-32768, 32767):
        steady = down(np.full(600, level, np.int16))[64:]
        assert np.abs(steady - level).max() <= 1
        assert np.abs(np.clip(up(np.full(200, level, np.int16)), -32768, 32767)[200:] - level).max() <= 2
    assert round(2**33 / LOWPASS.astype(np.int64).sum()) == resampling.UNITY
