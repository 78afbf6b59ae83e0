# SPDX-License-Identifier: Apache-2.0
"""What a command renews in a Markdown page: the text between two markers."""

from __future__ import annotations


def split(text: str, markers: tuple[str, str]) -> tuple[str, str, str]:
    """What stands up to the first marker, between both, and from the second on. Raises ValueError without them."""
    before, rest = text.split(markers[0])
    between, after = rest.split(markers[1])
    return before + markers[0], between, markers[1] + after
