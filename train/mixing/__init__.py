# SPDX-License-Identifier: Apache-2.0
"""Noisy clips: drawn on the fly in training, fixed for calibration and evaluation. A seed always gives the same."""
