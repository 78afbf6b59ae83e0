# SPDX-License-Identifier: Apache-2.0
"""Noisy clips: drawn on the fly for training, fixed for calibration and evaluation. A seed is its clips, for ever."""
