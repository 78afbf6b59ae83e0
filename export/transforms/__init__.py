# SPDX-License-Identifier: Apache-2.0
"""The front end: in fixed point as on the device (`frontend`), and its float64 counterpart (`stft`).

Windows, FFT, features, sigmoid and the one requantization are here. A change is a change of docs/arithmetic.md.
"""
