# SPDX-License-Identifier: Apache-2.0
"""The documentation site: whole, linked within, silent on the network, and searchable from a disk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from chromium import CHROMIUM
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.glob("*.md") if path.name != "README.md")
NAV: dict[str, list[object]] = {
    group: entries
    for each in yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    for group, entries in each.items()
}
# What a browser loads when it opens a page; `a` it only follows.
LOADED = {"script": "src", "img": "src", "audio": "src", "source": "src", "iframe": "src", "video": "src"}


def leaves(entries: object) -> list[str]:
    if isinstance(entries, str):
        return [entries]
    inner = entries.values() if isinstance(entries, dict) else entries
    return [leaf for each in inner for leaf in leaves(each)]


def test_every_page_is_in_one_group() -> None:
    assert list(NAV) == ["Start", "Firmware", "Research", "Reference"]
    listed = [leaf for leaf in leaves(list(NAV.values())) if (DOCS / leaf).is_file()]
    assert sorted(listed) == [page.name for page in PAGES]


def test_the_list_of_pages_has_the_same_groups_in_the_same_order() -> None:
    sections = re.split(r"^## ", (DOCS / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    told = {
        text.split("\n")[0]: re.findall(r"^\| \[[\w-]+\.md\]\(([\w-]+\.md)\)", text, re.MULTILINE) for text in sections
    }
    for group, entries in NAV.items():
        assert told[group] == [leaf for leaf in leaves(entries) if (DOCS / leaf).is_file()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_opens_with_the_question_that_it_answers(page: Path) -> None:
    title = page.read_text(encoding="utf-8").split("\n")[0]
    assert re.fullmatch(r"# [A-Z].*\?", title)


def test_it_is_said_what_made_each_figure() -> None:
    told = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in (DOCS / "images").iterdir() if f"`docs/images/{path.name}`" not in told] == []


class Built(HTMLParser):
    """A page as built: its anchors, what it links to, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(given["href"])
        elif LOADED.get(tag) in given:
            self.loads.append(given[LOADED[tag]])


def check_links(site: Path) -> None:
    built = {path: Built(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(built) > len(PAGES)
    for path, page in built.items():
        for link in page.links + page.loads:
            if re.match(r"[a-z]+:", link):
                assert link in page.links or link.startswith("data:"), f"{path.name} loads {link}"
                continue
            where, _, anchor = unquote(link).partition("#")
            target = (path.parent / where).resolve() if where else path
            assert target.is_file(), f"{path.name}: {link}"
            if anchor and target in built:
                assert anchor in built[target].anchors | {"__skip"}, f"{path.name}: {link}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style.name


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*CHROMIUM, "--window-size=1400,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def check_in_a_browser(site: Path) -> None:
    """From the disk, as after a double click."""
    with browser() as driver:
        driver.get((site / "index.html").as_uri())
        driver.find_element(By.CSS_SELECTOR, ".md-search__input").send_keys("P_set_bypass")
        found = WebDriverWait(driver, 60).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".md-search-result__link"))
        hrefs = [link.get_attribute("href") or "" for link in found]
        assert any("/page.html" in href for href in hrefs), hrefs
        for name in ("kernels.html", "reference/c.html"):
            driver.get((site / name).as_uri())
        asked = [
            message["params"]["request"]["url"]
            for entry in driver.get_log("performance")
            if (message := json.loads(entry["message"])["message"])["method"] == "Network.requestWillBeSent"
        ]
        assert len(asked) > 10
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.slow
def test_the_site_is_whole_and_asks_nobody_for_anything(tmp_path: Path) -> None:
    """One test, for it builds the site once."""
    site = tmp_path / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(site)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")

    check_links(site)
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    for word, page in (
        ("requantization", "arithmetic.html"),
        ("--keep-delay", "reference/commands.html"),
        ("dyncp_stream_float", "reference/c.html"),
        ("with_probes", "reference/python.html"),
        ("speechocean762", "checkpoints/tiny.html"),
    ):
        assert any(word in each["text"] + each["title"] for each in index if each["location"].startswith(page)), word
    for name in ("dyncp_process", "dyncp_set_bypass", "dyncp_selftest", "dyncp_signals", "dyncp_stream"):
        assert name in Built(site / "reference" / "c.html").anchors
    # As it was drawn just now, not as it was committed.
    assert (site / "images" / "enhance.png").read_bytes() != (DOCS / "images" / "enhance.png").read_bytes()
    assert "AudioWorkletNode" in (site / "live.html").read_text(encoding="utf-8")
    check_in_a_browser(site)
