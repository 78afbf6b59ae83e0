# SPDX-License-Identifier: Apache-2.0
"""Pages of programs and notebooks: their text with colours, and of a notebook also what its cells gave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LANGUAGES = {".c": "c", ".h": "c", ".cpp": "cpp", ".py": "python", ".ld": "c"}


def page(path: Path, name: str) -> str:
    """Markdown of a file; `name` is its place in the repository."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    if path.suffix == ".ipynb":
        return "\n\n".join(_cells(json.loads(text)))
    return f"# {name}\n\n{_fenced(text, _LANGUAGES[path.suffix])}"


def _cells(notebook: dict[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        yield source if cell["cell_type"] == "markdown" else _fenced(source, "python")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                image = "".join(data["image/png"]).replace("\n", "")
                yield f'<img alt="What the cell above draws" src="data:image/png;base64,{image}">'
            else:
                yield _fenced("".join(data.get("text/plain", output.get("text", ""))), "text")


def _fenced(text: str, language: str) -> str:
    return f"````{language}\n{text.rstrip()}\n````\n"
