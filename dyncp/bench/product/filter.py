# SPDX-License-Identifier: Apache-2.0
"""Designs the low-pass filter between 48 and 16 kHz, and compares it with the coefficients that are used.

Equiripple, by the Parks–McClellan algorithm (scipy.signal.remez); the stopband weighs 40 times as much as the passband.
Prints what the integers reach.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from dyncp.export.transforms.resampling import LOWPASS, RATIO

RATE, PASS, STOP = 48000, 6800, 9000
"""Hz."""
WEIGHT = 40


class Response(NamedTuple):
    """Of a filter, in dB."""

    ripple: float
    """Between the strongest and the weakest frequency up to PASS."""
    stopband: float
    """Least attenuation from STOP on."""
    at_8_khz: float
    """Attenuation."""


def design() -> NDArray[np.int16]:
    """Three times the impulse response, Q15, [96]."""
    from scipy.signal import remez

    bands, gains = [0, PASS, STOP, RATE / 2], [1, 0]
    response = remez(len(LOWPASS), bands, gains, weight=[1, WEIGHT], fs=RATE, maxiter=100)
    rounded: NDArray[np.int16] = np.round(RATIO * 2**15 * response / response.sum()).astype(np.int16)
    return rounded


def measure(coefficients: NDArray[np.integer]) -> Response:
    """On 2¹⁷ frequencies, relative to DC."""
    count = 2**18
    spectrum = np.abs(np.fft.rfft(coefficients.astype(np.float64), count)) / abs(int(coefficients.sum()))
    hertz, decibels = np.fft.rfftfreq(count, 1 / RATE), 20 * np.log10(spectrum + 1e-12)
    passed = decibels[hertz <= PASS]
    return Response(
        ripple=float(np.ptp(passed)),
        stopband=float(-decibels[hertz >= STOP].max()),
        at_8_khz=float(-np.interp(8000, hertz, decibels)),
    )


def main() -> int:
    same = np.array_equal(design(), LOWPASS)
    found = measure(LOWPASS)
    Console().print(
        f"{len(LOWPASS)} coefficients; up to {PASS} Hz within {found.ripple:.3f} dB, "
        f"at 8 kHz -{found.at_8_khz:.1f} dB, from {STOP} Hz on -{found.stopband:.1f} dB; "
        f"designed anew, they are {'the same' if same else 'others'}"
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
