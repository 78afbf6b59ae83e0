# SPDX-License-Identifier: Apache-2.0
"""The notebook of examples/ runs from its first cell to its last, and shows what its stored outputs show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "python.ipynb"


def kinds(notebook: Any) -> list[list[tuple[str, tuple[str, ...]]]]:
    """Of each cell of code: what was shown, and in which forms."""
    return [
        [(output["output_type"], tuple(sorted(output.get("data", {})))) for output in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_it_says(tmp_path: Path) -> None:
    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(kinds(stored)), "execute it: jupyter execute --inplace examples/python.ipynb"
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert kinds(notebook) == kinds(stored)
    texts = ["".join(output["data"]["text/plain"]) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    # The stream joins to the whole.
    assert "True" in texts
    assert (tmp_path / "build" / "mine" / "manifest.json").is_file()
