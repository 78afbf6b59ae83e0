# SPDX-License-Identifier: Apache-2.0
"""The NumPy reference of docs/arithmetic.md, and `Run`, the result of one pass over audio by any engine.

In: a bundle and int16 audio. Out: `Run`. Every other engine must equal it, bit for bit.
"""
