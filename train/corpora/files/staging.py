# SPDX-License-Identifier: Apache-2.0
"""A folder that is there whole or not at all: made beside its place, and renamed when it is complete."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dyncp.base.errors import ConfigError


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """An empty folder that becomes `target` when the block ends without an error.

    Raises ConfigError where `target` exists and is no empty folder.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target}: exists already; choose an empty folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        complete = staging / "new"
        complete.mkdir()
        yield complete
        os.replace(complete, target)
    finally:
        shutil.rmtree(staging)
