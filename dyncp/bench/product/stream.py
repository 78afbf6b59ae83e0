# SPDX-License-Identifier: Apache-2.0
"""What the optional stream costs on an emulated Cortex-M4: instructions by block and mode, flash and RAM.

Without a bundle: the shipped `small`. `--docs` renews the table between the markers of
docs/stream.md. Every output must also equal the reference.
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
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import streaming
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import select
from dyncp.firmware.building.image import compile_source
from dyncp.firmware.proof.product.streaming import Case, on_board

PAGE = Path("docs/stream.md")
MARKERS = "<!-- python -m dyncp.bench.product.stream --docs -->\n", "<!-- end of the costs -->"
CORE = "cortex-m4"
HOPS = 12

ROWS = {
    "256 samples": Case(256),
    "64": Case(64),
    "64, even": Case(64, even=True),
    "16, even": Case(16, even=True),
    "160, even": Case(160, even=True),
    "48 kHz: 480": Case(480, wide=True),
    "480, even": Case(480, wide=True, even=True),
    "480, even, passing what is above": Case(480, wide=True, even=True, above=True),
    "stereo, two streams: 256": Case(256, channels=2),
    "stereo, one gain: 256": Case(256, channels=2, pair=True),
}

SIZES = """
#include "dyncp_stream.h"
char stream[sizeof(dyncp_stream)], state[sizeof(dyncp_state)], pair[sizeof(dyncp_pair)];
char resampler[sizeof(dyncp_resampler)], above[sizeof(dyncp_above)];
"""


def table(bundle: Bundle, pcm: NDArray[np.int16], work: Path) -> str:
    """Markdown, one row a case: instructions of a call, mean and worst, and of a hop of 16 ms."""
    library, (board,) = generate(bundle, work / "library", stream=True), select([CORE])
    lines = ["| block | instructions of a call, mean | worst call | of 16 ms |", "|---|---|---|---|"]
    for name, case in ROWS.items():
        heard = np.repeat(pcm, 3) if case.wide else pcm
        if case.channels == 2:
            heard = np.stack([heard, heard[::-1]], axis=1)
        made, instructions = on_board(library, board, case, heard, work / "core", 600.0)
        if not np.array_equal(made, _expected(bundle, heard, case)):
            raise ToolchainError(f"{name}: differs from the reference")
        # Channels with a stream of their own have calls of their own; the first hop is silent where work is even.
        calls = instructions.reshape(-1, 1 if case.pair else case.channels).sum(axis=1)[: len(heard) // case.block]
        hop = calls.sum() / len(heard) * (768 if case.wide else 256)
        settled = calls[len(calls) // 4 :]
        lines.append(f"| {name} | {settled.mean():,.0f} | {settled.max():,} | {hop:,.0f} |")
    return "\n".join([*lines, "", _sizes(library, work)]) + "\n"


def _expected(bundle: Bundle, pcm: NDArray[np.int16], case: Case) -> NDArray[np.int16]:
    how = {"wide": case.wide, "even": case.even, "above": case.above}
    if case.channels == 1 or case.pair:
        return streaming.stream(bundle, pcm, **how)
    return np.stack([streaming.stream(bundle, np.ascontiguousarray(channel), **how) for channel in pcm.T], axis=1)


def _sizes(library: Path, work: Path) -> str:
    (board,) = select([CORE])
    source = work / "sizes.c"
    source.write_text(SIZES)
    sizes = _symbols(compile_source(source, board, work / "sizes", ("-I", str(library.resolve()))))
    compiled = compile_source(library / "dyncp_stream.c", board, work / "sizes", ("-I", str(library.resolve())))
    words = toolchain.run(["arm-none-eabi-size", "-A", compiled]).splitlines()
    kept = [line.split() for line in words if line.startswith((".text", ".rodata"))]
    flash, own = sum(int(row[1]) for row in kept), sizes["stream"] - sizes["state"]
    return (
        f"`P_stream.c` takes {flash:,} bytes of flash with all that it can. A stream takes {own:,} bytes of RAM "
        f"besides its state of {sizes['state']:,}; 48 kHz {sizes['resampler']:,} more for each channel, what passes "
        f"above 8 kHz {sizes['above']:,}, a pair {sizes['pair']:,}."
    )


def _symbols(compiled: Path) -> dict[str, int]:
    lines = (line.split() for line in toolchain.run(["nm", "--print-size", compiled]).splitlines())
    return {words[3]: int(words[1], 16) for words in lines if len(words) == 4}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", help="folder of `dyncp export`")
    parser.add_argument("--docs", action="store_true", help=f"renew the table of {PAGE}")
    arguments = parser.parse_args()
    bundle, pcm = shipped(arguments.bundle, HOPS)
    with tempfile.TemporaryDirectory(prefix="dyncp-") as folder:
        measured = table(bundle, pcm, Path(folder))
    Console().print(Markdown(measured))
    if arguments.docs:
        before, _, after = split(PAGE.read_text(encoding="utf-8"), MARKERS)
        replace_file(PAGE, (before + measured + after).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
