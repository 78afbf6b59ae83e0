# SPDX-License-Identifier: Apache-2.0
"""`python -m dyncp.train.network.seal FOLDER …`: bring checkpoints of schema 1, and edited model cards, under the seal.

The manifest is written anew. Every file but the card must still be what the old manifest says, so that no damage is
sealed in; a card is listed where there is one. `resume.safetensors`, where it is, gets a seal if it has none.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from dyncp.base.errors import CheckpointError, DyncpError
from dyncp.base.files.reading import LARGEST_TEXT, parse_json, read_limited
from dyncp.base.files.sealed import unseal, version_of
from dyncp.train.network.checkpoint import (
    CARD,
    LARGEST,
    MANIFEST,
    REMEDY,
    SCHEMA_VERSION,
    CheckpointManifest,
    checked_manifest,
    load_checkpoint,
    write_files,
)
from dyncp.train.network.resume_file import RESUME, seal_resume


def seal_checkpoint(folder: Path) -> None:
    """Raises CheckpointError, and changes nothing, for a folder that is damaged or no checkpoint."""
    manifest = _manifest(folder / MANIFEST)
    contents = {}
    for name, expected in manifest.files.items():
        data = read_limited(folder / name, LARGEST[name], CheckpointError)
        if name != CARD and hashlib.sha256(data).hexdigest() != expected:
            raise CheckpointError(f"{folder / name}: differs from the sha256 in {MANIFEST}; {REMEDY}")
        contents[name] = data
    if (folder / CARD).is_file():
        contents[CARD] = read_limited(folder / CARD, LARGEST[CARD], CheckpointError)
    write_files(folder, manifest, contents)
    load_checkpoint(folder)
    if (folder / RESUME).is_file():
        seal_resume(folder)


def _manifest(path: Path) -> CheckpointManifest:
    data = read_limited(path, LARGEST_TEXT, CheckpointError)
    if version_of(data) == 1:
        document = parse_json(data, path, CheckpointError)
        assert isinstance(document, dict)
        return checked_manifest({**document, "schema_version": SCHEMA_VERSION}, path)
    return checked_manifest(unseal(data, path, CheckpointError, REMEDY), path)


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        for folder in sys.argv[1:]:
            seal_checkpoint(Path(folder))
            print(f"{folder}: sealed")
    except DyncpError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
