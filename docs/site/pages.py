# SPDX-License-Identifier: Apache-2.0
"""Which files of the repository are pages of the site, and how links between them read there.

Pages link to files by their place in the repository, so that the links work on GitHub. On the site a link leads to the
page that the file became, or, where it became none, to the repository.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Source"]
_HOME = re.compile(
    rf"{re.escape(SOURCE)}/(?:blob|tree)/main/|{re.escape(SOURCE).replace('github', 'raw.githubusercontent', 1)}/main/"
)

_EXAMPLES = (".c", ".cpp", ".h", ".ipynb", ".ld", ".py")

PLACED = {
    "README.md": "index.md",
    "docs/README.md": "pages.md",
    "examples/README.md": "examples.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    **{
        card.relative_to(ROOT).as_posix(): f"checkpoints/{card.parent.name}.md"
        for card in ROOT.glob("train/checkpoints/*/README.md")
    },
    **{
        f"examples/{name}": f"examples/{name}.md"
        for path in sorted((ROOT / "examples").rglob("*"))
        if path.suffix in _EXAMPLES and (name := path.relative_to(ROOT / "examples").as_posix())
    },
}
"""File of the repository → page, beside those of docs/, which keep their names."""
_FILES = {page: file for file, page in PLACED.items()}

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_FENCE = re.compile(r"\s*(```|~~~)")


def with_links_of_the_site(markdown: str, page: str) -> str:
    """The text of a page, by its name on the site, with links that lead somewhere there. Code stays as it is."""
    file = _FILES.get(page, f"docs/{page}")
    lines, code = [], False
    for line in markdown.split("\n"):
        code ^= bool(_FENCE.match(line))
        lines.append(line if code else _LINK.sub(lambda m: m[1] + _link(m[2], file, page) + m[3], line))
    return "\n".join(lines)


def _link(link: str, file: str, page: str) -> str:
    path, mark, anchor = link.partition("#")
    home = _HOME.match(path)
    if not path or ("://" in path and home is None):
        return link
    target = path[home.end() :] if home else posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
    placed = PLACED.get(target, target.removeprefix("docs/") if target.startswith("docs/") else None)
    if placed is not None and (target in PLACED or (ROOT / target).is_file()):
        return posixpath.relpath(placed, posixpath.dirname(page) or ".") + mark + anchor
    kind = "tree" if (ROOT / target).is_dir() else "blob"
    # What is not there stays a broken link, which mkdocs tells.
    return f"{SOURCE}/{kind}/main/{target}{mark}{anchor}" if (ROOT / target).exists() else link
