# SPDX-License-Identifier: Apache-2.0
"""The experiments of arXiv 2602.10666, and what goes beyond them, on streams of real audio."""
