# SPDX-License-Identifier: Apache-2.0
"""Files and folders that are there whole or not at all, whenever the process is killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Set
from pathlib import Path

from dyncp.base.errors import DyncpError


def replace_file(path: Path, data: bytes) -> None:
    """Write beside the file, then rename over it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    os.replace(partial, path)


def replace_folder(folder: Path, contents: Mapping[str, bytes], own: Set[str], error: type[DyncpError]) -> None:
    """Make `folder` hold exactly `contents`. An existing one may hold files named in `own` alone, else `error`."""
    foreign = {path.name for path in folder.iterdir()} - own if folder.is_dir() else set()
    if foreign or (folder.exists() and not folder.is_dir()):
        found = ", ".join(sorted(foreign)) or "a file"
        raise error(f"{folder}: holds other things than this command writes ({found}); choose an empty folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        complete = staging / "new"
        complete.mkdir()
        for name, data in contents.items():
            (complete / name).write_bytes(data)
        if folder.exists():
            os.replace(folder, staging / "old")
        os.replace(complete, folder)
    finally:
        shutil.rmtree(staging)
