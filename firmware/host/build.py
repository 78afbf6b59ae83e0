# SPDX-License-Identifier: Apache-2.0
"""Compiling a generated library for the host, into a shared library that is kept for the next time."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from dyncp.base.errors import ToolchainError
from dyncp.base.files import replace_file
from dyncp.firmware.building import toolchain
from dyncp.firmware.host.cache import cache_folder
from dyncp.firmware.host.compiler import compiler_version, find_compiler

Compiler = Literal["gcc", "clang"]


def build_host(
    library: Path,
    prefix: str = "dyncp",
    compiler: Compiler | None = None,
    flags: Sequence[str] = ("-O3",),
    trace: bool = False,
    build_dir: Path | None = None,
) -> Path:
    """Compile the generated folder `library` and its bridge; returns the shared library.

    It lies in `build_dir` (default `cache_folder()`) under the hash of its sources, compiler and flags, and is
    compiled once only, by the first compiler that is found (firmware/host/compiler.py) unless one is named.
    Raises ToolchainError if it is missing or fails, with what it said.
    """
    with as_file(files("dyncp.firmware") / "app" / "host_bridge.c") as bridge:
        sources = [library / f"{prefix}.c", bridge]
        words = find_compiler() if compiler is None else (compiler,)
        command = [*words, "-std=c99", *flags, "-shared", "-fPIC", f"-I{library}"]
        command += [f"-DBRIDGE_PREFIX={prefix}", f"-DBRIDGE_MACROS={prefix.upper()}"]
        command += [f'-DBRIDGE_HEADER="{prefix}_private.h"', *(["-DDYNCP_TRACE"] if trace else [])]
        folder = build_dir or cache_folder()
        target = folder / f"{prefix}-{_fingerprint(library, bridge, words, command)[:32]}.so"
        if not target.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="dyncp-") as staging:
                built = Path(staging) / target.name
                toolchain.run([*command, *sources, "-o", built])
                replace_file(target, built.read_bytes(), ToolchainError)
    return target


def _fingerprint(library: Path, bridge: Path, compiler: tuple[str, ...], command: Sequence[str]) -> str:
    digest = hashlib.sha256(compiler_version(compiler).encode())
    # The folder's own path is no part of what is built.
    digest.update("\0".join(part for part in command if part != f"-I{library}").encode())
    for path in [*sorted(library.glob("*.[ch]")), bridge]:
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()
