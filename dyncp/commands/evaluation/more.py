# SPDX-License-Identifier: Apache-2.0
"""What `dyncp evaluate` runs beyond the paper: `--context` and `--rivals`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import track

from dyncp.base.files import replace_file
from dyncp.commands.shared.terminal import Terminal, print_sheets

if TYPE_CHECKING:
    from dyncp.evaluation.context.context import ContextRows
    from dyncp.evaluation.plotting.sheet import Sheet
    from dyncp.evaluation.rivals.rivals import Rivals
    from dyncp.train.probes.data import ProbeData


def run_context(console: Terminal, train: ProbeData, test: ProbeData, out: Path) -> ContextRows:
    """Temporal context, priors and penalties of the probes: prints them, and writes out/context.{md,json}."""
    from dyncp.base.errors import ProbeError
    from dyncp.evaluation.context.context import ContextRows, context_sheet, task_rows

    rows = []
    for task in track(train.tasks, "context of the probes", console=console):
        try:
            rows += task_rows(train, test, task)
        except ProbeError as error:
            console.print(f"left out: {error}", highlight=False)
    found = ContextRows(rows=rows)
    write_results(console, out, "context", [context_sheet(rows)], found.model_dump())
    return found


def run_rivals(console: Terminal, train: ProbeData, test: ProbeData, out: Path) -> Rivals:
    """Detectors and estimators in use today, on the same audio: prints them, and writes out/rivals.{md,json}."""
    from dyncp.evaluation.rivals.rivals import rival_rows
    from dyncp.evaluation.rivals.sheets import rival_sheets

    with console.status("running the rivals"):
        rivals = rival_rows(train, test)
    write_results(console, out, "rivals", rival_sheets(rivals), rivals.model_dump())
    return rivals


def check_results(out: Path, name: str) -> None:
    """Raises OutputError unless NAME.{md,json} can be written into `out`: new, or in place of an earlier run's."""
    from dyncp.base.files.outputs import check_folder_output

    names = (f"{name}.md", f"{name}.json")
    check_folder_output(out, names, lambda folder: all((folder / file).is_file() for file in names))


def check_result_file(out: Path, inputs: Mapping[str, Path]) -> None:
    """Raises OutputError unless the file `out` can be written, in a folder that is there or can be made."""
    from dyncp.base.files.outputs import check_folder_output, check_outputs

    check_folder_output(out.parent, (), lambda _: True)
    if out.parent.is_dir():
        check_outputs({"--out": out}, inputs)


def write_results(console: Terminal, out: Path, name: str, sheets: list[Sheet], results: dict[str, object]) -> None:
    """Print the sheets, and write them and the results to out/NAME.{md,json}."""
    print_sheets(console, sheets)
    out.mkdir(parents=True, exist_ok=True)
    replace_file(out / f"{name}.md", "\n".join(sheet.markdown() for sheet in sheets).encode())
    replace_file(out / f"{name}.json", (json.dumps(results, indent=2) + "\n").encode())
