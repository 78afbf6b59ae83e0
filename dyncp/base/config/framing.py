# SPDX-License-Identifier: Apache-2.0
"""How audio is cut into frames."""

SAMPLE_RATE = 16_000
HOP = 256
FFT = 512
BINS = FFT // 2 + 1
