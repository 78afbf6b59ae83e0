# SPDX-License-Identifier: Apache-2.0
"""The network in torch: layers, gates, pooling, the float front end, and its checkpoint.

In: features. Out: suppression mask, gates, state. Names of parameters are a file format: a checkpoint holds them.
"""
