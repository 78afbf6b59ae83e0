# SPDX-License-Identifier: Apache-2.0
"""Mutation testing: one small fault at a time in the reference, the probes, the masks and the kernels in C, and which
of them the fast tests notice (docs/assurance.md). Needs the checkout with its tests.

`python_source` and `c_source` make the faults, `subjects` says of which files, `placing`, `python_trial` and `c_trial`
try one, `explained` knows those that change nothing, `command` prints.
"""
