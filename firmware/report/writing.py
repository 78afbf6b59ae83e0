# SPDX-License-Identifier: Apache-2.0
"""`report.json` and the page that shows it, written together or not at all."""

from __future__ import annotations

from pathlib import Path

from dyncp.base.errors import ReportError
from dyncp.base.files import replace_folder
from dyncp.firmware.report.contents import schema
from dyncp.firmware.report.contents.validation import read_validation
from dyncp.firmware.report.page import render_page
from dyncp.firmware.report.players import read_clean

REPORT_JSON = "report.json"
REPORT_HTML = "report.html"


def write_report(
    report: schema.Report, validation_folder: Path, out_dir: Path, clean: Path | None = None
) -> tuple[Path, Path]:
    """Write `report.json` and `report.html`, which shows the audio and traces of `validation_folder`, to `out_dir`.

    `clean` is the file of the clean speech in that audio, for the page to play beside it. Returns both paths. Raises
    ReportError where the folder is not the report's, `clean` is of another length or `out_dir` cannot be written.
    """
    outputs = 0 if report.probes is None else report.probes.outputs
    validation = read_validation(validation_folder, report.bundle.network, report.bundle.hash, outputs)
    reference = None if clean is None else read_clean(clean, validation, report.audio.hop, report.audio.sample_rate)
    page = render_page(report, validation, reference)
    document = report.model_dump_json(indent=2, by_alias=True) + "\n"
    contents = {REPORT_JSON: document.encode(), REPORT_HTML: page.encode()}
    own = frozenset(contents) if is_report(out_dir) else frozenset()
    replace_folder(out_dir, contents, own, ReportError, keep_others=True)
    return out_dir / REPORT_JSON, out_dir / REPORT_HTML


def is_report(folder: Path) -> bool:
    """Whether a report lies in `folder`, which another may replace."""
    try:
        with (folder / REPORT_JSON).open("rb") as file:
            return b'"dyncp-report"' in file.read(200)
    except OSError:
        return False
