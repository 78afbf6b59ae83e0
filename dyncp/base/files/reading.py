# SPDX-License-Identifier: Apache-2.0
"""Files that may be anything: sizes, depths and counts are bounded before what they hold is believed."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import NoReturn

from dyncp.base.errors import DyncpError
from dyncp.base.files.single import shown

LARGEST_TEXT = 1 << 24
"""Bytes of a JSON document. The largest that is written, the manifest of the largest network, has some 4 MB."""

LARGEST_TOML = 1 << 16
"""Bytes of a TOML document."""

LONGEST_LINE = 1000
"""Bytes of a line of TOML: its parser takes time quadratic in the parts of a key, over a minute for one of 60 KB."""

DEEPEST = 32
"""Objects and arrays within one another."""

LONGEST_NUMBER = 40
"""Characters of a number; 64 bits have 20 digits, a float 24 characters."""


def read_limited(path: Path, limit: int, error: type[DyncpError], hint: str = "") -> bytes:
    """All bytes of the regular file `path`, at most `limit`. Raises `error`, with `hint` where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise error(f"{shown(path)}: cannot be read (it is not a file)")
            data = file.read(limit + 1)
    except (OSError, ValueError) as fault:
        said = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise error(f"{shown(path)}: cannot be read ({said}){hint}") from None
    if len(data) > limit:
        raise error(f"{shown(path)}: holds {found.st_size:,} bytes; more than {limit:,} are refused")
    return data


def parse_json(data: bytes, path: Path, error: type[DyncpError]) -> object:
    """The document, bounded as the constants above say. Raises `error`, naming `path`."""
    try:
        document = json.loads(
            data.decode("utf-8"), parse_int=_integer, parse_float=_number, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as fault:
        raise error(f"{shown(path)}: not valid JSON: {_said(fault)}") from None
    check_depth(document, path, error)
    return document


def parse_toml(data: bytes, path: Path, error: type[DyncpError]) -> dict[str, object]:
    """As `parse_json`, of TOML."""
    if max(map(len, data.split(b"\n"))) > LONGEST_LINE:
        raise error(f"{shown(path)}: not valid TOML: a line is longer than {LONGEST_LINE} characters")
    try:
        document: dict[str, object] = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as fault:
        raise error(f"{shown(path)}: not valid TOML: {_said(fault)}") from None
    check_depth(document, path, error)
    return document


def check_depth(document: object, path: Path, error: type[DyncpError]) -> None:
    """Raises `error` for what lies too deep, and for integers that 64 bits do not hold."""
    waiting: list[tuple[object, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise error(f"{shown(path)}: objects or lists lie more than {DEEPEST} deep in one another")
        if isinstance(value, dict):
            waiting += [(child, depth + 1) for child in value.values()]
        elif isinstance(value, list):
            waiting += [(child, depth + 1) for child in value]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise error(f"{shown(path)}: holds an integer that 64 bits do not hold")


def check_name(name: str, path: Path, error: type[DyncpError]) -> None:
    """Raises `error` unless `name`, which the document `path` lists, is that of a file in the same folder."""
    if not name or name in (".", "..") or not name.isprintable() or name != os.path.basename(name):
        raise error(f"{shown(path)}: lists {name[:80]!r}, which cannot be a file of this folder")


def _integer(text: str) -> int:
    return int(_short(text))


def _number(text: str) -> float:
    return float(_short(text))


def _short(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters; at most {LONGEST_NUMBER} are read")
    return text


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _said(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return "objects or lists lie too deep in one another"
    return str(fault)
