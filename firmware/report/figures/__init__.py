# SPDX-License-Identifier: Apache-2.0
"""Figures of a report, as SVG: one version for wide screens and one for phones."""
