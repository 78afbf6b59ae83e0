# SPDX-License-Identifier: Apache-2.0
"""The Python API (docs/python.md): `dyncp.load` gives a network that enhances arrays, streams, and fits probes.

In: names of shipped networks or bundle folders, NumPy arrays of any length and rate. Out: audio, signals, masks, MACs.
"""
