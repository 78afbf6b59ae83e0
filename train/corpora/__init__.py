# SPDX-License-Identifier: Apache-2.0
"""Corpora: recordings with their speakers, noise categories, licences and splits, and which of them can be used.

In: a folder in one of the `layouts/`, shards made of one, or a TOML file that composes several. Out: `Corpus`
(corpus.py), and the samples of its recordings (sources.py). A new layout is one module of `layouts/`.
"""
