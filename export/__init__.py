# SPDX-License-Identifier: Apache-2.0
"""Export: a trained network becomes integers, and the integers a bundle.

In: a checkpoint. Out: a bundle (docs/bundle.md). `transforms`, `formats` and `integers` import nothing of `train`:
the rest of the chain depends on them. A change of any integer starts in docs/arithmetic.md.
"""
