# SPDX-License-Identifier: Apache-2.0
"""The NumPy reference of docs/arithmetic.md, and what one pass over audio leaves behind, whichever engine made it.

In: a bundle and int16 audio. Out: `Run`. Every other engine must equal it, bit for bit.
"""
