# SPDX-License-Identifier: Apache-2.0
"""Corpora: which recordings there are, whose they are, which split they belong to, and how each layout is read.

In: a folder. Out: `Corpus`. A new layout is one module here and one branch of `load_corpus`.
"""
