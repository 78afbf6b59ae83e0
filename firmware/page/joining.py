# SPDX-License-Identifier: Apache-2.0
"""JavaScript modules as one script: a page from file:// can import no files, and its policy tells scripts by hashes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const |class |function |async function )", re.MULTILINE)


def joined(entry: str) -> str:
    """The module `entry` of `scripts` after all that it imports, each once; their names share one scope."""
    return "\n".join(_source(name) for name in dict.fromkeys(_needed(entry)))


def source_hash(text: str) -> str:
    """How a Content-Security-Policy names an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _needed(name: str) -> Iterator[str]:
    """Names of modules, each behind those that it imports."""
    for imported in _IMPORT.findall(_read(name)):
        yield from _needed(imported)
    yield name


def _source(name: str) -> str:
    return _EXPORT.sub("", _IMPORT.sub("", _read(name)))


def _read(name: str) -> str:
    return (SCRIPTS / f"{name}.js").read_text(encoding="utf-8")
