# SPDX-License-Identifier: Apache-2.0
"""The layouts in which people hold speech and noise: one module for each, which recognises a folder and reads it.

In: a folder as it was published or as the user made it. Out: (speech, noise), lists of `Recording`; either may be
empty. Only names and tables are read, no audio. A new layout is one module here and one line of `registry.py`.
"""
