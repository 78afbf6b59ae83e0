# SPDX-License-Identifier: Apache-2.0
"""A folder of files, whole or not at all: written beside the old one, with which it changes places in one call."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Set
from pathlib import Path, PurePosixPath

from dyncp.base.errors import DyncpError
from dyncp.base.files.exchange import exchange
from dyncp.base.files.journal import renew, settle, write_files
from dyncp.base.files.partial import PARTIAL, begin_folder, clear_leftovers, remove, sync_folder
from dyncp.base.files.single import shown, unwritable

# Others' entries, at any depth, that are carried over by hard links; a folder that holds more is renewed in place.
MOST_CARRIED = 1000

# What the exchange may answer where a renewal in place still works: no such call or flag, a mount point, no hard
# links, or a folder around it that may not be written.
_NO_EXCHANGE = frozenset(
    {errno.ENOSYS, errno.EINVAL, errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS}
    | {errno.ENOTSUP, errno.EMLINK}
)


class _InPlace(Exception):
    """The folder cannot, or should not, change places with a new one."""


def replace_folder(
    folder: Path,
    contents: Mapping[str, bytes],
    own: Set[str],
    error: type[DyncpError],
    keep_others: bool = False,
) -> None:
    """Make `folder` hold `contents` in place of its files that are named in `own`.

    A name may lead into folders below, `src/a.c`: those are made, and what others keep there is others', like the rest.
    What else it holds is an `error`, or stays where it is with `keep_others`: then only a file of another's under a
    name of `contents` is one. Whoever looks finds the old files or the new, all of them; in the cases that `journal`
    is for, after `settle`. Raises `error` also where it cannot be written, and the old files stay.
    """
    try:
        target = Path(os.path.realpath(folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(100):
            if _replaced(target, folder, contents, own, error, keep_others):
                return
    except (OSError, ValueError) as fault:
        raise error(f"{unwritable(folder, fault)}; choose another folder") from None
    raise error(f"{shown(folder)}: another program keeps replacing it")


def check_folder(
    folder: Path, names: Collection[str], own: Set[str], error: type[DyncpError], keep_others: bool = False
) -> None:
    """What `replace_folder` asks of a folder before it writes `names` into it. Raises `error`, naming what is amiss."""
    if not folder.is_dir():
        if os.path.lexists(folder):
            raise error(f"{shown(folder)}: is a file; choose a folder")
        return
    others = _others(folder, own, names)
    refused = others & {*names, *_parents(names)} if keep_others else others
    if refused:
        found = ", ".join(sorted(refused))
        raise error(
            f"{shown(folder)}: holds files that this command did not write ({found}); "
            f"{'move them away, or choose another folder' if keep_others else 'choose an empty folder'}"
        )


def _replaced(
    target: Path, named: Path, contents: Mapping[str, bytes], own: Set[str], error: type[DyncpError], keep_others: bool
) -> bool:
    """False where another program made or removed the folder meanwhile."""
    settle(target, error)
    check_folder(target, contents, own, error, keep_others)
    exists = target.is_dir()
    others = sorted(_others(target, own, contents)) if exists else []
    try:
        if exists and _should_stay(target, others):
            raise _InPlace
        return _exchanged(target, contents, own, others, exists)
    except (FileNotFoundError, FileExistsError):
        return False
    except _InPlace:
        pass
    except OSError as fault:
        if fault.errno == errno.ENOTEMPTY:
            return False
        if fault.errno not in _NO_EXCHANGE or not exists:
            raise
    there = {name for name, _ in _entries(target, _parents(own))}
    renew(target, contents, there & own - contents.keys() - set(others))
    return True


def _others(folder: Path, own: Set[str], names: Collection[str] = ()) -> set[str]:
    """What the folder holds beside files named in `own`, and beside what our own writers leave when killed.

    Folders in it are others', whatever they are called, but for those on the way to `own` and `names`: these are looked
    into, and what is found there is told with them, `src/notes`. A link is never looked behind.
    """
    return {
        name
        for name, is_folder in _entries(folder, _parents([*own, *names]))
        if not PARTIAL.fullmatch(os.path.basename(name)) and (is_folder or name not in own)
    }


def _entries(folder: Path, ways: Set[str]) -> Iterator[tuple[str, bool]]:
    """What `folder` holds, and whether it is a folder; in place of a folder of `ways`, what that holds."""
    waiting = [""]
    while waiting:
        way = waiting.pop()
        with os.scandir(folder / way) as entries:
            for entry in entries:
                name, is_folder = way + entry.name, entry.is_dir(follow_symlinks=False)
                if is_folder and name in ways:
                    waiting.append(f"{name}/")
                else:
                    yield name, is_folder


def _parents(names: Collection[str]) -> set[str]:
    """Every folder on the way to one of `names`."""
    return {str(folder) for name in names for folder in PurePosixPath(name).parents} - {"."}


def _should_stay(target: Path, others: Collection[str]) -> bool:
    """A folder that somebody stands in would vanish under them; one with many others' files is no output folder."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        here = Path("/")
    return here.is_relative_to(target) or _count(target, others) > MOST_CARRIED


def _exchanged(
    target: Path, contents: Mapping[str, bytes], own: Set[str], others: Collection[str], exists: bool
) -> bool:
    clear_leftovers(target.parent)
    if exists:
        clear_leftovers(target)
    partial, descriptor = begin_folder(target)
    try:
        write_files(partial, contents)
        for name in others:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            _link(target / name, partial / name)
        for way in sorted(_parents(others)):
            sync_folder(partial / way)
        if exists:
            _adopt(partial, target)
        os.fsync(descriptor)
        if exists:
            exchange(partial, target)
        else:
            os.rename(partial, target)
        sync_folder(target.parent)
        if exists:
            _bring_late(partial, target, own | contents.keys() | set(others))
    finally:
        remove(partial)
        os.close(descriptor)
    return True


def _bring_late(old: Path, new: Path, known: Set[str]) -> None:
    """What others put into the old folder while the new one was being made."""
    late = sorted(_others(old, known) - known)
    for name in late:
        if not os.path.lexists(new / name):
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            os.rename(old / name, new / name)
    for folder in {(new / name).parent for name in late}:
        sync_folder(folder)


def _count(folder: Path, names: Collection[str]) -> int:
    """Entries at any depth below these of `folder`; stops counting beyond what matters."""
    waiting, found = [folder / name for name in names], 0
    while waiting and found <= MOST_CARRIED:
        path = waiting.pop()
        found += 1
        if path.is_dir() and not path.is_symlink():
            waiting += path.iterdir()
    return found


def _link(source: Path, target: Path) -> None:
    """The same file under both names; a folder is made anew and synced, its files are the same. Raises OSError."""
    if source.is_dir() and not source.is_symlink():
        target.mkdir()
        for entry in source.iterdir():
            _link(entry, target / entry.name)
        shutil.copystat(source, target)
        sync_folder(target)
    else:
        os.link(source, target, follow_symlinks=False)


def _adopt(partial: Path, target: Path) -> None:
    """Permissions and, as far as allowed, owner of the folder that is replaced."""
    before = target.stat()
    if os.geteuid() == 0:
        os.chown(partial, before.st_uid, before.st_gid)
    partial.chmod(stat.S_IMODE(before.st_mode))
