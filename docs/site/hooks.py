# SPDX-License-Identifier: Apache-2.0
"""What mkdocs calls: pages from outside docs/, pages and files that are made, links, and search from a disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import c_api
import commands
import made
import sources
from markdown import Markdown
from markdown.extensions import Extension
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from pages import PLACED, ROOT, with_links_of_the_site
from pymdownx.slugs import slugify

HERE = Path(__file__).parent
LISTEN = "## See it, hear it\n"
PROGRAMS = {page for file, page in PLACED.items() if not file.endswith((".md", ".ipynb"))}
WORKER = "assets/javascripts/offline.js"


class NarrowLists(Extension):
    """Lists in lists are indented by two or three spaces, as on GitHub, and not by four."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.tab_length = 2


@event_priority(-100)
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """After the theme's plugin for disks, which would load its worker from elsewhere."""
    # Its type says names; what it holds is handed to Markdown, which takes extensions too.
    extensions: list[Any] = config.markdown_extensions
    extensions.append(NarrowLists())
    # Anchors as GitHub makes them.
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    config.extra["polyfills"] = [WORKER]
    config.extra_css = ["assets/stylesheets/site.css"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    content: dict[str, str | bytes] = {
        **{page: sources.page(ROOT / file, file) for file, page in PLACED.items()},
        "reference/commands.md": commands.page(),
        "reference/c.md": c_api.page(made.headers(), made.API),
        "reference/python.md": (HERE / "python.md").read_text(encoding="utf-8"),
        "assets/stylesheets/site.css": (HERE / "style.css").read_text(encoding="utf-8"),
        **made.files(),
    }
    for name in ("README.md", *content):
        # A figure that is committed gives way to the one that was made just now.
        if (old := files.get_file_from_path(name)) is not None:
            files.remove(old)
    for name, each in content.items():
        # Programs are reached by links.
        listed = InclusionLevel.UNDEFINED if name not in PROGRAMS else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, name, content=each, inclusion=listed))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    name = page.file.src_uri
    text = with_links_of_the_site(markdown, name)
    if name == "index.md":
        assert text.count(LISTEN) == 1, f"README.md has no heading {LISTEN}"
        text = text.replace(LISTEN, f"{LISTEN}\n{(HERE / 'listen.md').read_text(encoding='utf-8')}")
    return text


@event_priority(-100)
def on_post_build(config: MkDocsConfig) -> None:
    site = Path(config.site_dir)
    (worker,) = (site / "assets" / "javascripts" / "workers").glob("search.*.min.js")
    text = json.dumps(worker.read_text(encoding="utf-8"))
    script = (HERE / "offline.js").read_text(encoding="utf-8").replace("SEARCH_WORKER", text)
    (site / WORKER).write_text(script, encoding="utf-8")
