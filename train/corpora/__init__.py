# SPDX-License-Identifier: Apache-2.0
"""Corpora: recordings with their speakers, noise categories, licences and splits, and a reader for each layout.

In: a folder. Out: `Corpus`. A new layout is one module here and one branch of `load_corpus`.
"""
