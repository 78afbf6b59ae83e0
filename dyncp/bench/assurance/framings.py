# SPDX-License-Identifier: Apache-2.0
"""`dyncp validate` of networks with other frames and taps, each on every default core; the table of docs/network.md.

Random networks on noise of full scale: every stage of every frame is compared with the reference, and constructed
frames prove the constants. Fails where a word differs, and where the page has another row; `--docs` renews it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from dyncp.base.config.experiment import load_config
from dyncp.base.config.framing import Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.base.files import replace_file
from dyncp.bench.assurance.random_networks import random_bundle
from dyncp.bench.between import split
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import write_bundle
from dyncp.firmware.building.boards import default_boards
from dyncp.firmware.proof.records import ValidationRecord
from dyncp.firmware.proof.validate import validate

PAGE = Path("docs/network.md")
MARKERS = ("<!-- framings -->\n", "<!-- end of framings -->\n")
FRAMES = 20

EARS = Framing(64, 256, 256, 128)
TABLE = (
    EARS,
    Framing(32, 128, 128, 64),
    Framing(64, 512, 512, 128),
    Framing(160, 512, 400, 320),
    Framing(128, 256, 256, 256),
    Framing(128, 1024, 1024, 1024),
    Framing(512, 1024, 1024, 1024),
)
"""Each size of transform, windows of one length and of two, hops that are a power of two and one that is not."""

TELEPHONE = Framing(80, 256, 240, 160, 8_000)
"""20 ms every 10 ms, as codecs of 8 kHz have them."""

TINY = NetworkConfig(channels=8, hidden=8, gate=4, stacks=1, dilations=(1, 2), pooling_frames=4)


def in_frames(config: NetworkConfig, framing: Framing, **changes: object) -> NetworkConfig:
    """The configuration with other frames. Raises ValidationError for changes that it cannot have."""
    fields: dict[str, object] = {"hop": framing.hop, "fft": framing.fft}
    fields |= {"analysis_window": framing.analysis, "synthesis_window": framing.synthesis}
    fields |= {"sample_rate": framing.rate}
    return NetworkConfig.model_validate({**config.model_dump(), **fields, **changes})


def networks() -> list[NetworkConfig]:
    """The preset `ears`, the other frames of the table, frames of 8 kHz, and kernels of other than three taps."""
    others = [in_frames(TINY, framing) for framing in (*TABLE[1:], TELEPHONE)]
    hidden = {"gate_site": "hidden", "hidden": 40}
    tapped = [
        in_frames(TINY, EARS, kernel=2, **hidden),
        TINY.model_copy(update={"kernel": 4, "hidden": 41}),
        TINY.model_copy(update={"kernel": 5, **hidden}),
    ]
    return [load_config("ears").network, *others, *tapped]


@dataclass(frozen=True)
class Row:
    config: NetworkConfig
    words: int
    """Compared in the frames of the audio, on each core."""
    record: ValidationRecord

    @property
    def cells(self) -> list[str]:
        constants = self.record.constants
        proved = "" if constants is None else f"{constants.proved:.1%}".replace("%", " %")
        differing = [str(target.mismatches.total) for target in self.record.targets]
        return [*shape_cells(self.config), f"{self.words:,}", proved, *differing]


def shape_cells(config: NetworkConfig) -> list[str]:
    sizes = (config.hop, config.fft, config.analysis_window, config.synthesis_window)
    rate, delay = f"{config.sample_rate / 1000:g}", f"{config.framing.delay_ms:g}"
    return [*map(str, sizes), rate, delay, str(config.kernel), config.gate_site]


def run(config: NetworkConfig, boards: Sequence[str] | None = None, frames: int = FRAMES) -> Row:
    """Of a random network of this shape."""
    pcm = np.random.default_rng(3).integers(-32768, 32768, frames * config.hop).astype(np.int16)
    with tempfile.TemporaryDirectory(prefix="dyncp-framings-") as folder:
        bundle = random_bundle(config, seed=0)
        write_bundle(bundle, Path(folder) / "bundle")
        library = generate(bundle, Path(folder) / "library")
        record = validate(bundle, library, pcm, Path(folder) / "validation", boards=boards)
    words = frames * sum(stage.count for stage in stages(config, bundle.probe_outputs))
    return Row(config, words, record)


HEAD = (
    "`hop`",
    "`fft`",
    "analysis",
    "synthesis",
    "kHz",
    "delay, ms",
    "`kernel`",
    "gates",
    "words compared",
    "constants proved",
)
SHAPE = HEAD.index("words compared")
"""So many cells say which network a row is of."""


def read_table(text: str) -> dict[tuple[str, ...], list[str]]:
    """Cells of the page's rows by those of their shape. Raises ValueError for a page without the markers."""
    lines = split(text, MARKERS)[1].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {tuple(row[:SHAPE]): row for row in rows}


def table(rows: Iterable[list[str]]) -> str:
    cores = [board.core.removeprefix("cortex-").upper() for board in default_boards()]
    lines = [[*HEAD, *cores], ["---"] * (len(HEAD) + len(cores)), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help=f"renew the rows of {PAGE}")
    parser.add_argument("--only", type=int, metavar="N", help="row N alone, from 1 on")
    arguments = parser.parse_args()
    console, chosen, found = Console(highlight=False, soft_wrap=True), networks(), list[Row]()
    for config in chosen if arguments.only is None else [chosen[arguments.only - 1]]:
        found.append(run(config))
        console.print("; ".join(found[-1].cells))
    text = PAGE.read_text(encoding="utf-8")
    faults = [f"not exact: {'; '.join(row.cells)}" for row in found if not row.record.exact]
    recorded = read_table(text)
    if arguments.docs and not faults:
        recorded |= {tuple(row.cells[:SHAPE]): row.cells for row in found}
        order = [tuple(shape_cells(config)) for config in chosen]
        before, _, after = split(text, MARKERS)
        shown = table(recorded[shape] for shape in order if shape in recorded)
        replace_file(PAGE, (before + shown + after).encode())
    for row in found:
        if recorded.get(tuple(row.cells[:SHAPE])) != row.cells:
            faults.append(f"{PAGE} has another row, or none: renew it with --docs")
    for fault in faults:
        console.print(fault, style="bold red")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
