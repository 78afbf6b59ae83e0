# SPDX-License-Identifier: Apache-2.0
"""What each control costs a frame on an emulated core, and what it adds to flash and RAM.

Without a bundle: the shipped `small`. `--docs` renews the table between the markers of
docs/controls.md. Every frame must also equal the reference.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markdown import Markdown

from dyncp.base.errors import ToolchainError
from dyncp.base.files import replace_file
from dyncp.bench.between import split
from dyncp.bench.product.shipped import shipped
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.layout import layout
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.controls import DEFAULT, Settings
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board, select
from dyncp.firmware.building.image import compile_source
from dyncp.firmware.emulators.counting import build_plugin
from dyncp.firmware.proof.product.controls import controlled, instructions, on_board

PAGE = Path("docs/controls.md")
MARKERS = "<!-- python -m dyncp.bench.product.controls --docs -->\n", "<!-- end of the costs -->"
CORES = ("cortex-m4", "cortex-m55")
FRAMES = 24
ROWS = {
    "defaults": (DEFAULT, ()),
    "`P_set_limit`": (Settings(limit=12), ("set_limit",)),
    "`P_set_strength`, below 100 %": (Settings(strength=60), ("set_strength",)),
    "`P_set_strength`, above 100 %": (Settings(strength=150), ()),
    "`P_set_smoothing`": (Settings(release=30), ("set_smoothing",)),
    "`P_set_bypass`, while it is on": (Settings(bypass=True), ("set_bypass",)),
    "`P_set_vad`": (Settings(vad_level=100, vad_hangover=8), ("set_vad",)),
    "`P_get_settings`, `P_gains`": (DEFAULT, ("get_settings", "gains")),
    "all of them": (Settings(12, 150, True, 60, 30, 100, 8), ()),
}
"""Settings, and the functions that a program then links."""


def counts(bundle: Bundle, library: Path, board: Board, pcm: NDArray[np.int16], work: Path) -> list[float]:
    """Mean instructions of a frame, a row each."""
    compiled, plugin = compile_source(library / "dyncp.c", board, work), build_plugin(work)
    means = []
    for settings, _ in ROWS.values():
        expected = controlled(bundle, pcm, [settings] * (len(pcm) // 256))
        if on_board(library, compiled, board, expected, work, 300.0, plugin):
            raise ToolchainError(f"{board.core}: differs from the reference with {settings}")
        means.append(float(instructions(work).mean()))
    return means


def sizes(compiled: Path) -> dict[str, int]:
    """Bytes of each function of an object file, by its name."""
    lines = (line.split() for line in toolchain.run(["nm", "--print-size", compiled]).splitlines())
    return {words[3].removeprefix("dyncp_"): int(words[1], 16) for words in lines if len(words) == 4}


def table(bundle: Bundle, pcm: NDArray[np.int16], work: Path) -> str:
    """Markdown: instructions that a row adds to the defaults' on each core, and flash on the first one."""
    library, boards = generate(bundle, work / "library"), select(list(CORES))
    by_core = [counts(bundle, library, board, pcm, work / board.core) for board in boards]
    size = sizes(work / CORES[0] / "dyncp.o")
    names = [core.removeprefix("cortex-").upper() for core in CORES]
    lines = [f"| | {', '.join(names[:1])}: instructions per frame | {names[1]} | flash on {names[0]}, bytes |"]
    lines.append("|---|---|---|---|")
    for row, (name, (_, functions)) in enumerate(ROWS.items()):
        cells = [f"{means[0]:,.0f}" if row == 0 else f"{means[row] - means[0]:+,.0f}" for means in by_core]
        flash = sum(size[function] for function in functions)
        cells.append(f"{size['dcp_shape']:,}, always" if row == 0 else f"{flash:,}" if functions else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    structs = layout(bundle.config, bundle.probes)
    voice = sum(member.bytes for member in structs.probes.members if member.name in ("level", "hangover", "unvoiced"))
    gains = next(member.bytes for member in structs.state.members if member.name == "gain")
    lines.append(f"| RAM, bytes | settings {structs.controls.bytes}, `vad` {voice}, gains {gains} | | |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", help="folder of `dyncp export`")
    parser.add_argument("--docs", action="store_true", help=f"renew the table of {PAGE}")
    arguments = parser.parse_args()
    bundle, pcm = shipped(arguments.bundle, FRAMES)
    with tempfile.TemporaryDirectory(prefix="dyncp-") as folder:
        measured = table(bundle, pcm, Path(folder))
    Console().print(Markdown(measured))
    if arguments.docs:
        before, _, after = split(PAGE.read_text(encoding="utf-8"), MARKERS)
        replace_file(PAGE, (before + measured + after).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
