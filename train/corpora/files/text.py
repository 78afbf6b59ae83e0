# SPDX-License-Identifier: Apache-2.0
"""Text as people save it: with or without a byte order mark, UTF-8 or UTF-16; anything else is named, never guessed."""

from __future__ import annotations

import codecs
from pathlib import Path

from dyncp.base.errors import ConfigError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """The text of a table. Raises ConfigError naming the file and the place of the first byte that is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}, {_place(data, error.start, encoding)}; save the table as UTF-8") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ConfigError(f"{path}, line {line}: holds NUL, as UTF-16 without its mark does; save the table as UTF-8")
    return text


def read_published(path: Path) -> str:
    """The text of a table that a corpus was published with: names in Latin-1 do no harm, since they are not used."""
    data = path.read_bytes()
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _place(data: bytes, start: int, encoding: str) -> str:
    if not encoding.startswith("utf-8"):
        return f"byte {start + 1}: is not {encoding.upper()}"
    before = data[:start]
    line = before.count(b"\n") + 1
    # Of the line, what is before the byte: its characters count the column, its separators the field.
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace").removeprefix("\ufeff")) + 1
    return f"line {line}, column {column}: byte 0x{data[start]:02X} is not UTF-8"
