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
    """Each one new, and synced, in folders below where its name says so. Raises OSError."""
    made = set()
    for name, data in contents.items():
        path = folder / name
        for parent in reversed(path.parents):
            if parent.is_relative_to(folder) and parent != folder and parent not in made:
                parent.mkdir()
                made.add(parent)
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    for parent in made:
        sync_folder(parent)


def _apply(folder: Path) -> None:
    """Move the new files to their places, remove the stale ones; the list of these goes last."""
    replacement = folder / REPLACEMENT
    removed = replacement / _REMOVED
    if removed.exists():
        for name in json.loads(removed.read_bytes()):
            _remove_file(folder, name, removed)
    moved = {folder}
    for place, _, names in os.walk(replacement):
        for name in sorted(names):
            source = Path(place, name)
            if source != removed:
                target = folder / source.relative_to(replacement)
                _ways(folder, target.relative_to(folder).as_posix(), replacement)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, target)
                moved.add(target.parent)
    for way in sorted(moved):
        sync_folder(way)
    removed.unlink(missing_ok=True)
    for place, _, _ in os.walk(replacement, topdown=False):
        os.rmdir(place)
    sync_folder(folder)


def _remove_file(folder: Path, name: str, source: Path) -> None:
    """One that was listed as stale, and the folders that it leaves empty."""
    ways = _ways(folder, name, source)
    (folder / name).unlink(missing_ok=True)
    for way in reversed(ways):
        with suppress(OSError):
            way.rmdir()


def _ways(folder: Path, name: str, source: Path) -> list[Path]:
    """The folders on the way to the file `name`, which never leads out of `folder`. Raises ValueError."""
    parts = name.split("/")
    ways = [folder.joinpath(*parts[:n]) for n in range(1, len(parts))]
    if any(part in ("", ".", "..") for part in parts) or any(way.is_symlink() for way in ways):
        raise ValueError(f"{source}: {name!r} is no file of the folder")
    return ways


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
