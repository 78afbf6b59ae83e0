# SPDX-License-Identifier: Apache-2.0
"""The ground that every room stands on: configuration, errors, audio files, probe tasks, scores, atomic file writing.

In: nothing of `dyncp`. Out: what two or more rooms share. A change here may touch every room; what only one room
needs lives in that room. Nothing here imports torch, scikit-learn or TensorFlow when it is loaded.
"""
