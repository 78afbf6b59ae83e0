# SPDX-License-Identifier: Apache-2.0
"""`make bench-cores`: instructions, sizes and the estimate of cycles of the shipped networks on every emulated core.

Exact and the same each time: shipped checkpoints, calibrated on the demo's corpus, on the demo's audio, built by the
machine's arm-none-eabi-gcc. Writes build/bench/cores.json. `--docs` renews the table between the markers of
docs/benchmarks.md; `--check` fails where that table is off by more than 1 %.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dyncp.base.config.reading import StrictModel
from dyncp.base.files import replace_file
from dyncp.base.paths import CHECKPOINTS
from dyncp.bench.between import split
from dyncp.export.formats.bundle import write_bundle
from dyncp.export.quantization.from_checkpoint import quantize_checkpoint
from dyncp.firmware.bench.bench import Bench, Core, bench
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.corpora.demo_corpus import build_demo_corpus
from dyncp.train.mixing.pairs import EVERYDAY, make_pairs
from dyncp.train.network.checkpoint import load_checkpoint
from dyncp.train.streams.demo import SECONDS, noisy_speech

OUT = Path("build/bench")
PAGE = Path("docs/benchmarks.md")
MARKERS = "<!-- size and speed: make bench-docs -->\n", "<!-- end of size and speed -->"
IN_PLACE = " --in-place-fft"
NETWORKS = ("tiny", f"tiny{IN_PLACE}", "small", "ears", "steady", "paper")
"""Those that are shipped; the smallest once more, generated for less RAM (docs/placement.md)."""
TOLERANCE = 0.01


class Benches(StrictModel):
    """cores.json"""

    networks: dict[str, Bench]


def measure() -> Benches:
    corpus = build_demo_corpus(OUT / "corpus")
    pairs = make_pairs(load_corpus(corpus), "train", 8, EVERYDAY)
    noisy = noisy_speech(corpus, SECONDS).noisy
    benches = {}
    for name in NETWORKS:
        work, in_place_fft = OUT / name.replace(" --", "-"), name.endswith(IN_PLACE)
        checkpoint = load_checkpoint(CHECKPOINTS / name.removesuffix(IN_PLACE))
        bundle = quantize_checkpoint(checkpoint, lambda: [pair.noisy for pair in pairs])
        write_bundle(bundle, work / "bundle")
        benches[name] = bench(bundle, noisy, work, in_place_fft)
    return Benches(networks=benches)


RATE = "thousand instructions per second, mean"
ROWS: dict[str, Callable[[Core], float | None]] = {
    "instructions per frame, mean": lambda core: core.mean,
    "… worst frame": lambda core: core.max,
    "… every channel active": lambda core: core.all_active,
    "… of which transforms, features, mask": lambda core: core.front_end,
    "… of which probes": lambda core: core.probes_mean,
    "dense network by CMSIS-NN, without these": lambda core: core.cmsis_nn,
    "cycles per frame, estimate": lambda core: None if core.cycles is None else core.cycles.estimate,
    "flash of the image, bytes": lambda core: core.flash_bytes,
    "RAM of the image with stack, bytes": lambda core: core.ram_bytes,
    "… of which state, scratch and stack": lambda core: (
        core.memory.ram.state + core.memory.ram.scratch + core.stack_bytes
    ),
}


def markdown_table(benches: Benches) -> str:
    """Markdown, one row a figure and network, one column a core."""
    names = [core.name.removeprefix("cortex-").upper() for core in next(iter(benches.networks.values())).cores]
    lines = [f"| | | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for network, figures in benches.networks.items():
        rate = figures.network.framing.frames_per_second
        rows: dict[str, list[float | None]] = {RATE: [core.mean * rate / 1000 for core in figures.cores]}
        rows |= {label: [row(core) for core in figures.cores] for label, row in ROWS.items()}
        for label, values in rows.items():
            cells = ("–" if value is None else f"{value:,.0f}" for value in values)
            lines.append(f"| `{network}` | {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def numbers(table: str) -> dict[tuple[str, int], int]:
    """By row and column."""
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for column, cell in enumerate(cells[2:]):
            if re.fullmatch(r"[\d,]+", cell):
                found[f"{cells[0]} {cells[1]}", column] = int(cell.replace(",", ""))
    return found


def stale(written: str, measured: str) -> list[str]:
    """One line for each figure of the written table that is missing or off by more than the tolerance."""
    old, new = numbers(written), numbers(measured)
    return [
        f"{row}, column {column + 1}: {old.get((row, column), 'missing')}, now {value:,}"
        for (row, column), value in new.items()
        if abs(old.get((row, column), 0) - value) > TOLERANCE * value
    ] + [f"{row}, column {column + 1}: no longer measured" for row, column in old.keys() - new.keys()]


def kernels(network: str, core: Core) -> Table:
    """Instructions per multiply–accumulate."""
    title = f"{network} on {core.name}: {core.mean:,.0f} instructions per frame, {core.mean / core.all_active:.1%} of "
    title += f"the dense {core.all_active:,.0f}; front end {core.front_end / core.all_active:.1%} of that, probes "
    title += f"{core.probes_mean / core.mean:.3%} of a mean frame, at most {core.probes_max / core.mean:.3%}; network "
    title += f"{core.network_all_active / core.cmsis_nn:.2f} of CMSIS-NN's {core.cmsis_nn:,.0f}"
    table = Table("kernel", "dense", "gated", "CMSIS-NN", "dense / CMSIS-NN", title=title, title_justify="left")
    for name, kernel in core.kernels.items():
        ratio = kernel.dense / kernel.cmsis_nn
        table.add_row(name, f"{kernel.dense:.2f}", f"{kernel.gated:.2f}", f"{kernel.cmsis_nn:.2f}", f"{ratio:.2f}")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help=f"renew the table of {PAGE}")
    parser.add_argument("--check", action="store_true", help=f"fail where the table of {PAGE} is off by over 1 %%")
    arguments = parser.parse_args()
    console = Console()
    benches = measure()
    replace_file(OUT / "cores.json", (benches.model_dump_json(indent=2) + "\n").encode())
    for name, figures in benches.networks.items():
        for core in figures.cores:
            console.print(kernels(name, core))
    before, written, after = split(PAGE.read_text(encoding="utf-8"), MARKERS)
    if arguments.docs:
        replace_file(PAGE, (before + markdown_table(benches) + after).encode())
    elif arguments.check and (complaints := stale(written, markdown_table(benches))):
        console.print(f"{PAGE}: the table of size and speed is out of date; run make bench-docs")
        console.print("\n".join(complaints))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
