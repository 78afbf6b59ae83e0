# SPDX-License-Identifier: Apache-2.0
"""The hand-written headers of firmware/runtime, which every generated library gets copies of, side by side."""

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


RUNTIME = {
    header.name: header for header in sorted(_headers(files("dyncp.firmware") / "runtime"), key=lambda h: h.name)
}
"""By name, in order: the folders of firmware/runtime sort them for readers; a library has them in one."""
