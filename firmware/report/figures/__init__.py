# SPDX-License-Identifier: Apache-2.0
"""What a report shows: figures as SVG, once for wide screens and once for phones."""
