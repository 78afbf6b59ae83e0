# SPDX-License-Identifier: Apache-2.0
"""Export: a trained network becomes integers, and the integers a bundle.

In: a checkpoint. Out: a bundle (docs/bundle.md). `transforms`, `formats` and `integers` import nothing of `train`: they
are what the rest of the chain stands on. docs/arithmetic.md comes before a change of any integer.
"""
