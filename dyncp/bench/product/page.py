# SPDX-License-Identifier: Apache-2.0
"""The command line of the benches of this folder that print a table, and renew it in its page."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from dyncp.base.files import replace_file
from dyncp.bench.between import split

NETWORKS = ("steady", "small", "tiny")

Measure = Callable[[list[str], Path], str]
"""Names or folders of bundles, and a folder to work in, to Markdown."""


def command(description: str | None, page: Path, markers: tuple[str, str], measure: Measure) -> int:
    """Measure the bundles of the command line, by default NETWORKS, and tell; the exit status."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", default=NETWORKS, help="names or folders; default: the shipped ones")
    parser.add_argument("--docs", action="store_true", help=f"renew the table of {page}")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dyncp-") as folder:
        measured = measure(list(arguments.bundles), Path(folder))
    tell(measured, page, markers, arguments.docs)
    return 0


def tell(measured: str, page: Path, markers: tuple[str, str], renew: bool) -> None:
    """Print a table, and put it between the markers of its page where it is to be renewed."""
    Console().print(Markdown(measured))
    if renew:
        before, _, after = split(page.read_text(encoding="utf-8"), markers)
        replace_file(page, (before + measured + after).encode())
