# SPDX-License-Identifier: Apache-2.0
"""Ground truth, frame by frame: voice activity, SNR, pitch, quality, classes, and targets that a user adds.

In: clean speech, noise and what a corpus knows of them. Out: arrays of one value per frame of 16 ms.
"""
