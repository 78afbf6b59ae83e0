# SPDX-License-Identifier: Apache-2.0
"""What networks make of the page's built-in samples, against the clean voices in them.

`--docs` renews the table between the markers of docs/page.md. The samples are synthesized, so no corpus is needed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.metrics import pesq_wb, si_sdr, stoi
from dyncp.base.paths import find_bundle
from dyncp.bench.product.page import command
from dyncp.export.formats.bundle import Bundle, read_bundle
from dyncp.export.integers import reference
from dyncp.export.integers.signals import read_out
from dyncp.firmware.page.samples import Sample, samples
from dyncp.train.targets.frames import voice_activity

PAGE = Path("docs/page.md")
MARKERS = (
    "<!-- python -m dyncp.bench.product.samples steady small tiny ears --docs -->\n",
    "<!-- end of the samples -->",
)


def scores(clean: NDArray[np.int16], heard: NDArray[np.int16]) -> str:
    """PESQ-WB, ESTOI and SI-SDR as cells of a row; both int16 [samples], aligned."""
    distortion = f"{si_sdr(clean, heard):.1f}".replace("-", "−")
    return f"{pesq_wb(clean, heard):.2f} | {stoi(clean, heard, extended=True):.2f} | {distortion}"


def row(name: str, bundle: Bundle, sample: Sample) -> str:
    """A sample through the integer network; of silence and rest too, `vad` has to be right."""
    framing = bundle.config.framing
    whole = len(sample.noisy) // framing.hop * framing.hop
    run = reference.run(bundle, sample.noisy[:whole])
    told = {signal.task.name: signal.decisions for signal in read_out(bundle, run.signals)}
    vad, spoken = told.get("vad"), voice_activity(sample.clean[:whole] / 32768, framing)
    right = "–" if vad is None else f"{100 * np.mean(vad == spoken):.0f} %"
    heard = scores(sample.clean[: whole - framing.delay], run.output[framing.delay :])
    return f"| … through `{name}` | {heard} | {right} |"


def measure(names: list[str], work: Path) -> str:
    """Markdown: each sample as it is, then through each network; nothing is kept in `work`."""
    bundles = {Path(name).name: read_bundle(find_bundle(Path(name))) for name in names}
    lines = ["| | PESQ-WB | ESTOI | SI-SDR, dB | frames where `vad` is right |", "|---|---|---|---|---|"]
    for sample in samples():
        lines.append(f"| {sample.title}, as they are | {scores(sample.clean, sample.noisy)} | |")
        lines += [row(name, bundle, sample) for name, bundle in bundles.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(command(__doc__, PAGE, MARKERS, measure))
