# SPDX-License-Identifier: Apache-2.0
"""Static analysis of generated libraries by programs that are not ours, and their findings as data."""
