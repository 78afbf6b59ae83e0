# SPDX-License-Identifier: Apache-2.0
"""A C compiler of this machine: the system's, or the one that the PyPI package `ziglang` brings."""

from __future__ import annotations

import importlib.util
import shutil
import sys

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building import toolchain

SYSTEM = ("gcc", "clang", "cc")
"""In this order."""


def find_compiler() -> tuple[str, ...]:
    """The words that call it. Raises ToolchainError that says how to get one."""
    for name in SYSTEM:
        if shutil.which(name):
            return (name,)
    if importlib.util.find_spec("ziglang"):
        # Zig's C compiler traps undefined behaviour unless told otherwise, which the library does not need.
        return (sys.executable, "-m", "ziglang", "cc", "-fno-sanitize=undefined")
    raise ToolchainError(
        f"no C compiler ({', '.join(SYSTEM)}) on PATH; install one: Debian: apt-get install gcc, macOS: xcode-select "
        "--install, anywhere: pip install ziglang"
    )


def compiler_version(command: tuple[str, ...]) -> str:
    """The first line that it prints of itself."""
    return toolchain.run([*command[:4], "--version"], timeout_s=30).splitlines()[0].strip()
