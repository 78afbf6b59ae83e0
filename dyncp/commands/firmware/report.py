# SPDX-License-Identifier: Apache-2.0
"""`dyncp report`: one JSON, one page, one table from a validated bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dyncp.commands.shared.options import Json, NetworkName
from dyncp.commands.shared.terminal import make_console


def report(
    bundle: NetworkName,
    validation: Annotated[Path, typer.Argument(help="Folder that `dyncp validate --out` wrote.")],
    out: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")],
    quality: Annotated[
        Path | None, typer.Option(help="Comparison of float and int8, from `dyncp export --quality`.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="CSV with the true values of the signals over time (docs/report.md).")
    ] = None,
    clean: Annotated[
        Path | None,
        typer.Option(help="The clean speech in the validated audio, as long as that, to be heard beside it."),
    ] = None,
    day: Annotated[
        Path | None, typer.Option(help="Cost and quality over a day, from `dyncp evaluate --day --out`.")
    ] = None,
    wait_states: Annotated[
        int, typer.Option(min=0, help="Wait states of the flash, for the estimate of cycles (docs/cycles.md).")
    ] = 0,
    microwatts_per_mhz: Annotated[
        float | None,
        typer.Option(min=0.0, help="Power of your chip in µW/MHz, for an estimate of the energy per frame."),
    ] = None,
    json_output: Json = False,
) -> None:
    """Report MACs, memory and instructions per frame, and the signals over time (docs/report.md)."""
    from dyncp.base.files.outputs import check_folder_output
    from dyncp.export.formats.bundle import read_bundle
    from dyncp.firmware.cost.estimate import UserBoard
    from dyncp.firmware.report.build import build_report, write_report
    from dyncp.firmware.report.terminal import print_report
    from dyncp.firmware.report.writing import REPORT_HTML, REPORT_JSON, is_report

    console = make_console(json_output=json_output)
    inputs = {"--quality": quality, "--truth": truth, "--clean": clean, "--day": day}
    check_folder_output(out, (REPORT_JSON, REPORT_HTML), is_report, inputs)
    with console.status("drawing"):
        built = build_report(
            read_bundle(bundle), validation, quality, truth, UserBoard(wait_states, microwatts_per_mhz), day
        )
        _, page = write_report(built, validation, out, clean)
    print_report(built, console.results)
    console.result(f"{page}")
    console.document(built)
