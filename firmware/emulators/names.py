# SPDX-License-Identifier: Apache-2.0
"""The emulators that images run in, by name."""

from __future__ import annotations

from enum import StrEnum


class Emulator(StrEnum):
    """QEMU runs every image and is what is measured with; the others confirm it (firmware/proof/cross_check.py)."""

    QEMU = "qemu"
    UNICORN = "unicorn"
    RENODE = "renode"
