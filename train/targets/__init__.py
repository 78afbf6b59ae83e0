# SPDX-License-Identifier: Apache-2.0
"""Ground truth, frame by frame: voice activity, SNR, pitch, quality, classes, and targets that a user adds.

In: clean speech, noise and the corpus's metadata. Out: arrays of one value per frame of 16 ms.
"""
