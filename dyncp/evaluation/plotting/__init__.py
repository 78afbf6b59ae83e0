# SPDX-License-Identifier: Apache-2.0
"""Figures and tables of results, in one style."""
