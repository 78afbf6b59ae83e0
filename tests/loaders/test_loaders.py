# SPDX-License-Identifier: Apache-2.0
"""Every reader of files under atheris for some seconds: only errors of ours come out (docs/assurance.md)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dyncp.bench.loaders.targets import TARGETS

pytestmark = pytest.mark.slow

SECONDS = 2


def test_no_reader_lets_anything_out() -> None:
    command = [sys.executable, "-m", "dyncp.bench.loaders.command", "--seconds", str(SECONDS)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = dict(re.findall(r"^([a-z ]+): ([\d,]+), [\d,]+, none$", ran.stdout, re.MULTILINE))
    assert found.keys() == TARGETS.keys()
    assert all(int(executions.replace(",", "")) > 5 for executions in found.values())


def test_a_careless_reader_is_found_out() -> None:
    ran = subprocess.run(
        [sys.executable, Path(__file__).parent / "planted.py"], capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"careless: === Uncaught Python exception[\s\S]*(UnicodeDecodeError|JSONDecodeError)", ran.stdout)
    assert re.search(r"^input: ([0-9a-f]{2})*$", ran.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", TARGETS)
def test_what_it_starts_from_is_read(name: str, tmp_path: Path) -> None:
    reader = TARGETS[name](tmp_path)
    assert reader.seeds
    for data in reader.seeds:
        reader.read(data)
