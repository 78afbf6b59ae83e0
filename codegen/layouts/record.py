# SPDX-License-Identifier: Apache-2.0
"""`P_layout.json`: which files of a folder a layout wrote, so that the next one knows them from the user's."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import Field

from dyncp.base.config.reading import StrictModel, parse
from dyncp.base.errors import ConfigError, GenerationError
from dyncp.base.files.reading import LARGEST_TEXT, check_name, parse_json, read_limited
from dyncp.codegen.layouts.arrange import place


class Record(StrictModel):
    """`P_layout.json`."""

    schema_name: Literal["dyncp-layout"] = "dyncp-layout"
    schema_version: Literal[1] = 1
    layout: str
    prefix: str
    folder: str = Field(description="of the library's own files and its manifest")
    files: list[str] = Field(max_length=1000, description="by their way from here, this too")


def record_name(prefix: str) -> str:
    return f"{prefix}_layout.json"


def record(layout: str, prefix: str, files: Collection[str]) -> dict[str, bytes]:
    """The record's name and text."""
    name = record_name(prefix)
    document = Record(layout=layout, prefix=prefix, folder=place(layout), files=sorted([*files, name]))
    return {name: (json.dumps(document.model_dump(mode="json"), indent=2) + "\n").encode("ascii")}


def read_record(folder: Path, prefix: str) -> Record | None:
    """The record in `folder`, or None: a file that only looks like one is somebody else's."""
    path = folder / record_name(prefix)
    if not path.is_file():
        return None
    try:
        found = parse(Record, parse_json(read_limited(path, LARGEST_TEXT, GenerationError), path, GenerationError), "")
        for way in (found.folder, *found.files):
            for part in way.split("/") if way else ():
                check_name(part, path, GenerationError)
    except (ConfigError, GenerationError):
        return None
    return found
