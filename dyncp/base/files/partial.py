# SPDX-License-Identifier: Apache-2.0
"""What is being written: a file or folder beside its target, locked for as long as its writer lives.

A killed writer leaves its partial behind, and with it no lock: the next write into the same folder removes it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

PARTIAL = re.compile(r"\..+\.[0-9a-f]{16}\.dyncp-partial", re.DOTALL)
"""Names of partials. Nothing else may be called so."""

# Bytes of a name that leave room for what a partial adds to it: file systems hold 255.
LONGEST_STEM = 200


def begin_file(target: Path) -> tuple[Path, int]:
    """An empty, locked partial beside `target`: its path, and a descriptor to write to and to close. Raises OSError."""
    while True:
        path = _named(target)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        if _lock(descriptor, path):
            return path, descriptor
        os.close(descriptor)


def begin_folder(target: Path) -> tuple[Path, int]:
    """As `begin_file`, a folder; its descriptor holds the lock and is there to be synced."""
    while True:
        path = _named(target)
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if _lock(descriptor, path):
            return path, descriptor
        os.close(descriptor)


def clear_leftovers(folder: Path) -> None:
    """Remove the partials of writers that are no more. What cannot be removed stays: it is no error of the writer's."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if PARTIAL.fullmatch(entry.name)]
    for name in names:
        path = folder / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(path)
        except OSError:
            pass
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """A partial, file or folder, as far as it can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` last through a power cut, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        # Some network and FUSE file systems cannot sync a folder; they say EINVAL.
        pass
    finally:
        os.close(descriptor)


def _named(target: Path) -> Path:
    stem = target.name
    if len(os.fsencode(stem)) > LONGEST_STEM:
        stem = hashlib.sha256(os.fsencode(stem)).hexdigest()
    return target.with_name(f".{stem}.{secrets.token_hex(8)}.dyncp-partial")


def _lock(descriptor: int, path: Path) -> bool:
    """False where somebody who clears leftovers took the partial before it was locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody can lock a leftover either, and so nobody removes this one.
        return True
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
