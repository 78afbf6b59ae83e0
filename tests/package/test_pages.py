# SPDX-License-Identifier: Apache-2.0
"""What the pages point at is there: files behind links, functions in the files that architecture.md names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = re.compile(r"https://(?:github\.com/dyncp/dyncp/(?:blob|tree)|raw\.githubusercontent\.com/dyncp/dyncp)/main/")
PAGES = sorted(
    page
    for folder in ("", "docs", "examples", "train/checkpoints/*")
    for page in ROOT.glob(f"{folder}/*.md".lstrip("/"))
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def headings(page: Path) -> set[str]:
    """Anchors as GitHub makes them."""
    lines = [line.lstrip("#").strip() for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


FILE = re.compile(r"`((?:dyncp|train|export|codegen|firmware|tests|docs|ci|examples)/[\w./-]*\w)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = FILE.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if HOME.match(path):
            target = ROOT / HOME.sub("", path)
        elif "://" in path:
            continue
        else:
            target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target), link


def test_the_first_page_is_short_and_reads_anywhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 700
    assert sum(line.startswith("|") for line in text.splitlines()) <= 25
    # A package index has none of the repository's other files.
    assert all("://" in link for link in LINK.findall(text))


def test_every_page_is_in_the_list() -> None:
    listed = set(LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - listed == {"README.md"}


def named() -> list[tuple[str, str]]:
    """(file, name) of each row of the page's tables: names in one cell, the file in another."""
    found = []
    for line in ARCHITECTURE.splitlines():
        cells = [CODE.findall(cell) for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        for before, cell, after in zip([[], *cells], cells, [*cells[1:], []], strict=False):
            if len(cell) == 1 and (ROOT / cell[0]).is_file():
                # In the first table the file comes before what to look for, in the walks after the function.
                names = after if "## One" not in ARCHITECTURE[: ARCHITECTURE.index(line)] else before
                found += [(cell[0], name) for name in names]
    return found


def test_the_page_names_enough() -> None:
    assert len(named()) > 50


@pytest.mark.parametrize(("file", "name"), sorted(set(named())))
def test_what_the_architecture_names_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    # Python defines it there; C, templates and data at least name it.
    sought = rf"(?:def|class) {name}\b|^{name}\b" if file.endswith(".py") else rf"\b{name}\b"
    assert re.search(sought, text, re.MULTILINE), f"{file} has no {name}"
