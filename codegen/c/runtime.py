# SPDX-License-Identifier: Apache-2.0
"""The hand-written headers of firmware/runtime and its neighbours, of which generated libraries get copies."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable


def _headers(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _headers(entry)
        elif entry.name.endswith(".h"):
            yield entry


def _by_name(folder: str) -> dict[str, Traversable]:
    return {header.name: header for header in sorted(_headers(files("dyncp.firmware") / folder), key=lambda h: h.name)}


RUNTIME = _by_name("runtime")
"""By name, in order: the folders of firmware/runtime sort them for readers; a library has them in one."""

FRAMES = _by_name("framing")
"""Those that a library has whose frames are not the standard ones."""

IN_PLACE = _by_name("in_place")
"""Those that a library has whose transforms work in place of the spectrum."""

TAPS = _by_name("taps")
"""Those that a library has whose depthwise convolutions are of other than three taps."""

STREAM = _by_name("stream")
"""Those that a library with a stream has besides (docs/stream.md)."""
