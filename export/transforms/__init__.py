# SPDX-License-Identifier: Apache-2.0
"""The front end: fixed point as on the device (`frontend`), and in float64 (`stft`), which that approximates.

Windows, FFT, features, sigmoid and the one requantization are here. A change is a change of docs/arithmetic.md.
"""
