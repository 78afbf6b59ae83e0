# SPDX-License-Identifier: Apache-2.0
"""JSON documents whose every byte is under a hash: the last member, `seal`, is the sha256 of all bytes before it.

A seal tells damage and edits apart from what was written; it is no signature and proves no author.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from dyncp.base.errors import DyncpError
from dyncp.base.files.reading import parse_json
from dyncp.base.files.single import shown

_END = re.compile(rb',\n  "seal": "([0-9a-f]{64})"\n}\n')
_END_BYTES = len(',\n  "seal": ""\n}\n') + 64


def seal(document: Mapping[str, object]) -> bytes:
    """The document as JSON in UTF-8, in the order of its keys, sealed. The same document gives the same bytes."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    body = text.removesuffix("\n}").encode("utf-8")
    return body + f',\n  "seal": "{hashlib.sha256(body).hexdigest()}"\n}}\n'.encode()


def unseal(data: bytes, path: Path, error: type[DyncpError], remedy: str) -> dict[str, object]:
    """The document without its seal. Raises `error`, with the `remedy`, for what any changed byte makes of it."""
    body, end = data[:-_END_BYTES], _END.fullmatch(data[-_END_BYTES:])
    if end is None:
        parse_json(data, path, error)
        raise error(f"{shown(path)}: has no seal: altered, cut short, or of another version; {remedy}")
    if hashlib.sha256(body).hexdigest().encode() != end[1]:
        raise error(f"{shown(path)}: altered: its bytes are not those that its seal was made of; {remedy}")
    document = parse_json(data, path, error)
    if not isinstance(document, dict):
        raise error(f"{shown(path)}: must be a JSON object; {remedy}")
    return {key: value for key, value in document.items() if key != "seal"}


def version_of(data: bytes) -> int | None:
    """The `schema_version` that a document claims, sealed or not; None where it claims none that can be read."""
    try:
        document = parse_json(data, Path(), DyncpError)
    except DyncpError:
        return None
    version = document.get("schema_version") if isinstance(document, dict) else None
    return version if isinstance(version, int) else None
