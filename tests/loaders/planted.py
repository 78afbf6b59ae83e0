# SPDX-License-Identifier: Apache-2.0
"""What the tests run in a process of its own: the hunt over a reader that lets in what it should not.

python planted.py: prints what was found.
"""

from __future__ import annotations

import json
from pathlib import Path

from dyncp.bench.loaders.hunt import hunt


def careless(_: Path) -> object:
    """JSON read without our limits: what is no text, no JSON or too deep is an error of another's."""
    # Loaded by the hunt, which instruments it.
    from dyncp.base.files.sealed import version_of
    from dyncp.bench.loaders.targets import Reader

    return Reader(lambda data: (version_of(data), json.loads(data)), [b'{"schema_version": 2}'])


def main() -> None:
    for name, found in hunt(["careless"], 60, more={"careless": careless}):
        print(f"{name}: {found}")


if __name__ == "__main__":
    main()
