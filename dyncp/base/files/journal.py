# SPDX-License-Identifier: Apache-2.0
"""A folder renewed in place, where it cannot change places with a new one: readers finish what a kill cut short.

All new files are first written into a partial inside the folder. Renaming that to `.dyncp-replacement` decides: from
then on the folder counts as new, and what is left to do is to move the files out of it, which can be done again from
any point. `settle`, called by every reader and the next writer, does what is left.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dyncp.base.errors import DyncpError
from dyncp.base.files.partial import begin_folder, clear_leftovers, remove, sync_folder

REPLACEMENT = ".dyncp-replacement"
"""A folder's new files, complete, that have yet to take their places."""

_REMOVED = ".removed"


def settle(folder: Path, error: type[DyncpError]) -> None:
    """Finish a renewal of `folder` that was cut short; nothing else is touched. Raises `error` where it cannot be."""
    if not (folder / REPLACEMENT).is_dir():
        return
    try:
        with _locked(folder):
            _apply(folder)
    except (OSError, ValueError) as fault:
        raise error(
            f"{folder}: writing it was cut short, and it cannot be finished ({fault}); make the folder writable, or "
            "write it again elsewhere"
        ) from None


def renew(folder: Path, contents: Mapping[str, bytes], stale: Collection[str]) -> None:
    """Write `contents` into the existing `folder` and remove the files `stale`; the rest stays. Raises OSError."""
    with _locked(folder):
        if (folder / REPLACEMENT).is_dir():
            _apply(folder)
        clear_leftovers(folder)
        partial, descriptor = begin_folder(folder / "files")
        try:
            write_files(partial, {**contents, _REMOVED: json.dumps(sorted(stale)).encode()})
            os.fsync(descriptor)
            os.rename(partial, folder / REPLACEMENT)
        finally:
            remove(partial)
            os.close(descriptor)
        sync_folder(folder)
        _apply(folder)


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Each one new, and synced. Raises OSError."""
    for name, data in contents.items():
        with (folder / name).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _apply(folder: Path) -> None:
    """Move the new files to their places, remove the stale ones; the list of these goes last."""
    replacement = folder / REPLACEMENT
    removed = replacement / _REMOVED
    if removed.exists():
        for name in json.loads(removed.read_bytes()):
            if name != os.path.basename(name):
                raise ValueError(f"{removed}: {name!r} is no file of the folder")
            (folder / name).unlink(missing_ok=True)
    for name in sorted(os.listdir(replacement)):
        if name != _REMOVED:
            os.replace(replacement / name, folder / name)
    sync_folder(folder)
    removed.unlink(missing_ok=True)
    replacement.rmdir()
    sync_folder(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One at a time. Where the file system has no locks, as best it goes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
