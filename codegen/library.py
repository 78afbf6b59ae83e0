# SPDX-License-Identifier: Apache-2.0
"""The manifest of a generated library: what a program on the host must know to call it, and which files are its own."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Literal

from pydantic import Field

from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel, parse
from dyncp.base.errors import ConfigError, GenerationError
from dyncp.base.files import settle
from dyncp.base.files.reading import LARGEST_TEXT, check_name, parse_json, read_limited
from dyncp.export.formats.probe_set import ProbeTask

SCHEMA = "dyncp-library"
SCHEMA_VERSION = 3
"""3: lists the library's files."""

_SUFFIX = "_manifest.json"


class LibraryManifest(StrictModel):
    """`P_manifest.json`."""

    schema_name: Literal["dyncp-library"] = "dyncp-library"
    schema_version: Literal[3] = 3
    generator: str
    runtime_version: int
    prefix: str
    bundle_hash: str
    network_hash: str
    probes_hash: str | None
    network: NetworkConfig
    tasks: list[ProbeTask]
    selftest: bool = Field(False, description="whether it has P_selftest and P_check_tables")
    shared_scratch: bool = Field(False, description="whether all states share one scratch")
    in_place_fft: bool = Field(False, description="whether transforms work in place of the spectrum; written if so")
    stream: bool = Field(False, description="whether it has P_stream.h and P_stream.c")
    reads: str | None = Field(None, description="the library whose masks it reads, if it is a further probe set alone")
    files: list[str] = Field(max_length=1000, description="of the folder, those that `dyncp generate` wrote, this too")


def manifest_name(prefix: str) -> str:
    return f"{prefix}{_SUFFIX}"


def read_library(folder: Path, prefix: str = "dyncp", readers: bool = False) -> LibraryManifest:
    """The manifest of the generated `folder`; with `readers`, that of a further probe set as well.

    Raises GenerationError if there is none, or not of this version.
    """
    # A layout is written as a whole, from the folder around the library's own.
    settle(folder.absolute().parent, GenerationError)
    settle(folder, GenerationError)
    path = folder / manifest_name(prefix)
    hint = f"; is this a folder of `dyncp generate --prefix {prefix}`?"
    document = parse_json(read_limited(path, LARGEST_TEXT, GenerationError, hint), path, GenerationError)
    try:
        manifest = parse(LibraryManifest, document, str(path))
    except ConfigError as error:
        raise GenerationError(f"{error}; generate again") from None
    for name in manifest.files:
        check_name(name, path, GenerationError)
    if manifest.reads is not None and not readers:
        raise GenerationError(
            f"{path}: a probe set that reads the masks of {manifest.reads}, no network; take --prefix {manifest.reads}"
        )
    return manifest


def libraries_in(folder: Path, known: Set[str]) -> dict[str, frozenset[str]]:
    """Every library of `folder`: the name of its manifest → the names of its files.

    Those before schema 3 list no files: they own what is called as in `known`. A file that only looks like a manifest
    is none.
    """
    if not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            document = parse_json(read_limited(path, LARGEST_TEXT, GenerationError), path, GenerationError)
        except GenerationError:
            continue
        if not isinstance(document, dict) or document.get("schema_name") != SCHEMA:
            continue
        files = document.get("files", list(known))
        if isinstance(files, list) and all(isinstance(name, str) for name in files):
            found[path.name] = frozenset(files) | {path.name}
    return found
