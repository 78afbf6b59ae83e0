# SPDX-License-Identifier: Apache-2.0
"""Skipping is real: the weights of a pruned filter are not read, at any optimization."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from libraries import RUNTIME, program


@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_pruned_filter_is_not_read(tmp_path: Path, compiler: str, optimize: str) -> None:
    source = Path(__file__).parent / "unread.c"
    flags = (optimize, "-D_GNU_SOURCE")
    built = program(tmp_path / "unread", [source], include=[RUNTIME], compiler=compiler, flags=flags)
    done = subprocess.run([built], capture_output=True, text=True, check=True)
    active = (0x00FF0FF5).bit_count() + (0x21).bit_count()
    assert done.stdout.split() == [str(3 * 4096 * active), "0"]
    assert subprocess.run([built, "broken"], check=False).returncode == -signal.SIGSEGV
