# SPDX-License-Identifier: Apache-2.0
"""The house in its files: small folders, a docstring for each room, and every room in the package."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("dyncp", "train", "export", "codegen", "firmware")
SOURCES = {".py", ".c", ".h", ".ld", ".j2", ".css", ".js"}
MOST = 12

FOLDERS = sorted(
    folder
    for room in ROOMS
    for folder in [ROOT / room, *(path for path in (ROOT / room).rglob("*") if path.is_dir())]
    if folder.name != "__pycache__"
)
PACKAGES = [folder for folder in FOLDERS if list(folder.glob("*.py"))]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_has_at_most_a_dozen_source_files(folder: Path) -> None:
    files = sorted(path.name for path in folder.iterdir() if path.suffix in SOURCES)
    assert len(files) <= MOST, files


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_package_says_what_lives_there(folder: Path) -> None:
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring.split()) >= 8, docstring


def test_every_package_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = settings["package-dir"]
    assert set(folders.values()) == set(ROOMS)
    names = {folder: name for name, folder in folders.items()}
    found = set()
    for package in PACKAGES:
        room, *inner = package.relative_to(ROOT).parts
        found.add(".".join([names[room], *inner]))
    assert set(settings["packages"]) == found
