# SPDX-License-Identifier: Apache-2.0
"""The experiments of arXiv 2602.10666, a module per figure or table, and the schema of `paper.json`."""
