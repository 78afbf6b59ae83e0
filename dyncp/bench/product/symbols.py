# SPDX-License-Identifier: Apache-2.0
"""Sizes by name, of what a compiler made."""

from __future__ import annotations

from pathlib import Path

from dyncp.firmware.building import toolchain


def symbols(compiled: Path) -> dict[str, int]:
    """Bytes of each function and object of an object file or image, by its name."""
    lines = (line.split() for line in toolchain.run(["nm", "--print-size", compiled]).splitlines())
    return {words[3]: int(words[1], 16) for words in lines if len(words) == 4}
