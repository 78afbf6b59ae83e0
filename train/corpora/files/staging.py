# SPDX-License-Identifier: Apache-2.0
"""A folder that is there whole or not at all: made beside its place, and renamed when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dyncp.base.errors import ConfigError
from dyncp.base.files.partial import begin_folder, clear_leftovers, remove, sync_folder


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """An empty folder that becomes `target` when the block ends without an error.

    Raises ConfigError where `target` exists and is no empty folder.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target}: exists already; choose an empty folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(target.parent)
    partial, descriptor = begin_folder(target)
    try:
        yield partial
        # All of it once, for it may be many thousand files.
        os.sync()
        os.replace(partial, target)
        sync_folder(target.parent)
    finally:
        remove(partial)
        os.close(descriptor)
