# SPDX-License-Identifier: Apache-2.0
"""Where a command is to write, checked before its work begins: what cannot be, or is the user's own, is refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Set
from pathlib import Path

from dyncp.base.errors import DyncpError, OutputError
from dyncp.base.files.folders import check_folder
from dyncp.base.files.partial import begin_file, clear_leftovers, remove
from dyncp.base.files.single import is_direct, shown, unwritable


def check_outputs(outputs: Mapping[str, Path], inputs: Mapping[str, Path] | None = None) -> None:
    """Raises OutputError unless every one of `outputs`, files by what they are called, can be written.

    Two of them, or one and one of `inputs`, must not be the same file, nor an output lie in an input that is a folder.
    Nothing is left behind.
    """
    known = dict(inputs or {})
    for name, path in outputs.items():
        for other, taken in known.items():
            if _same(path, taken):
                raise OutputError(f"{shown(path)}: is {other} as well as {name}; name another file for {name}")
            if other in (inputs or {}) and taken.is_dir() and _inside(path, taken):
                raise OutputError(f"{shown(path)}: lies in {other}, {shown(taken)}; name another file for {name}")
        known[name] = path
        _check_file(name, path)


def check_folder_output(
    folder: Path, names: Collection[str], ours: Callable[[Path], bool], inputs: Mapping[str, Path | None] | None = None
) -> None:
    """Raises OutputError unless the files `names` can be written into `folder`, which is made when they are.

    Those of them that are there already must be of an earlier run, which `ours` tells of the folder, and none of them
    one of the `inputs`.
    """
    for name, path in (inputs or {}).items():
        if path is not None and any(_same(folder / file, path) for file in names):
            raise OutputError(f"{shown(path)}: is {name}, and would be written over; choose another folder")
    place = folder
    try:
        while not os.path.lexists(place) and place != place.parent:
            place = place.parent
        if not place.is_dir():
            raise OutputError(f"{shown(folder)}: {shown(place)} is a file; choose another folder")
        there = sorted(name for name in names if os.path.lexists(folder / name))
        if there and not ours(folder):
            raise OutputError(
                f"{shown(folder)}: holds {', '.join(there)}, which this command did not write; choose another folder"
            )
        _try(place / "output")
    except (OSError, ValueError) as fault:
        raise OutputError(f"{unwritable(folder, fault)}; choose another folder") from None


def check_own_folder(folder: Path, own: Set[str], error: type[DyncpError], inputs: Mapping[str, Path]) -> None:
    """Raises `error`, or OutputError, unless `folder` can be made, or replaced by files that are named in `own`."""
    for name, path in inputs.items():
        if _same(folder, path):
            raise OutputError(f"{shown(folder)}: is {name}; choose another folder")
    check_folder_output(folder, (), lambda _: True)
    check_folder(folder, own, own, error)


def _check_file(name: str, path: Path) -> None:
    try:
        if path.is_dir():
            raise OutputError(f"{shown(path)}: is a folder; name a file for {name}")
        if is_direct(path):
            return
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            raise OutputError(f"{shown(path)}: there is no folder {shown(path.parent)}; make it first")
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputError(f"{shown(path)}: is protected against writing")
        _try(target)
    except (OSError, ValueError) as fault:
        raise OutputError(unwritable(path, fault)) from None


def _try(target: Path) -> None:
    """Whether a file can be made beside `target`, which permissions alone do not tell."""
    clear_leftovers(target.parent)
    partial, descriptor = begin_file(target)
    os.close(descriptor)
    remove(partial)


def _same(first: Path, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except (OSError, ValueError):
        return os.path.realpath(str(first).replace("\0", "")) == os.path.realpath(str(second).replace("\0", ""))


def _inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
