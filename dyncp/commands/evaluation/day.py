# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --day`: cost by condition and quality of the spurts on a day of everyday situations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dyncp.commands.shared.terminal import Terminal, print_sheets

if TYPE_CHECKING:
    from dyncp.evaluation.day.measure import DayOptions
    from dyncp.export.formats.bundle import Bundle
    from dyncp.firmware.report.contents.day import DayRecord
    from dyncp.train.corpora.recordings import Corpus


def parse_cores(text: str) -> list[str]:
    """`cortex-m4,cortex-m55` → names of boards, which must exist. Raises ConfigError."""
    from dyncp.firmware.building.boards import select

    names = [name.strip() for name in text.split(",") if name.strip()]
    select(names)
    return names


def run_day(console: Terminal, bundle: Bundle, corpus: Corpus, options: DayOptions, out: Path | None) -> DayRecord:
    """Print the day's tables, and write the record to the file `out`."""
    from dyncp.base.files import replace_file
    from dyncp.evaluation.day.measure import measure_day
    from dyncp.evaluation.day.sheets import day_sheets

    with console.status("mixing the day") as status:
        record = measure_day(bundle, corpus, options, status.update)
    print_sheets(console, day_sheets(record, bundle.config.sample_rate))
    if record.quality.noisy.ovrl is None:
        console.print("DNSMOS: not installed; pip install 'dyncp[benchmark]'", highlight=False)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(out, (record.model_dump_json(indent=2) + "\n").encode())
    return record
