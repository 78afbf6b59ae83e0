# SPDX-License-Identifier: Apache-2.0
"""A ZIP archive whose bytes depend on nothing but its contents."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

# The first that ZIP can tell.
TIME = (1980, 1, 1, 0, 0, 0)


def archive(contents: Mapping[str, bytes]) -> bytes:
    """`contents`, sorted by name, as files of one time and of the usual permissions."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            # Of the system that runs, otherwise.
            entry.create_system = 3
            file.writestr(entry, contents[name])
    return written.getvalue()
