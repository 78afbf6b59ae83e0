# SPDX-License-Identifier: Apache-2.0
"""One file, whole or not at all: written beside its target, synced, and renamed over it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from dyncp.base.errors import DyncpError, OutputError
from dyncp.base.files.partial import begin_file, clear_leftovers, sync_folder


@contextmanager
def new_file(path: Path, error: type[DyncpError] = OutputError) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` when the block is left without an exception.

    It keeps the permissions of the file that it replaces; a link is followed; a device or pipe is written directly.
    Raises `error`, naming `path`, where it cannot be written: what was there before then stays.
    """
    try:
        if is_direct(path):
            with path.open("wb") as device:
                yield device
            return
        target = Path(os.path.realpath(path))
        clear_leftovers(target.parent)
        partial, descriptor = begin_file(target)
    except (OSError, ValueError) as fault:
        raise error(unwritable(path, fault)) from None
    try:
        with open(descriptor, "w+b", closefd=False) as file:
            yield file
        _adopt(descriptor, target)
        os.fsync(descriptor)
        os.replace(partial, target)
    except BaseException as fault:
        with suppress(OSError):
            partial.unlink()
        if isinstance(fault, OSError):
            raise error(unwritable(path, fault)) from None
        raise
    finally:
        os.close(descriptor)
    sync_folder(target.parent)


@contextmanager
def new_text(path: Path, error: type[DyncpError] = OutputError) -> Iterator[TextIO]:
    """As `new_file`, for text in UTF-8 whose line ends are written as they are."""
    with new_file(path, error) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        # Writes what is left, and leaves the file open.
        text.detach()


def replace_file(path: Path, data: bytes, error: type[DyncpError] = OutputError) -> None:
    """Write `data` as the file `path`, whole or not at all. Raises `error` as `new_file`."""
    with new_file(path, error) as file:
        file.write(data)


def unwritable(path: Path, fault: BaseException) -> str:
    """What to tell of a failed write."""
    said = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return f"{shown(path)}: cannot be written ({said})"


def shown(path: Path) -> str:
    """The path, in quotes where it has characters that no terminal should get."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def is_direct(path: Path) -> bool:
    """Devices, pipes and open descriptors: nothing to replace, and a rename would put a file in their place."""
    if str(path).startswith(("/dev/fd/", "/dev/std", "/proc/")):
        return path.exists() and not path.is_dir()
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _adopt(descriptor: int, target: Path) -> None:
    """Permissions and, as far as allowed, owner of the file that is replaced."""
    try:
        before = os.stat(target)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(before.st_mode):
        raise IsADirectoryError(0, "it is a folder")
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid) and os.geteuid() == 0:
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
