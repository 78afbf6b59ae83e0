# SPDX-License-Identifier: Apache-2.0
"""What the optional stream costs on an emulated Cortex-M4: instructions by block and mode, flash and RAM.

Without bundles: the shipped `steady`, `small` and `tiny`. `--docs` renews the tables between the markers of
docs/stream.md. Every output must also equal the reference.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.bench.product.page import command
from dyncp.bench.product.programs import PROGRAMS, sizes
from dyncp.bench.product.shipped import shipped
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import streaming
from dyncp.firmware.building.boards import Board, select
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


def measure(bundles: list[str], work: Path) -> str:
    """Markdown: of each network instructions of a call, mean and worst, and of 16 ms; then flash and RAM."""
    (board,) = select([CORE])
    costs, memory = [], []
    for name in bundles:
        bundle, pcm = shipped(Path(name), HOPS)
        library = generate(bundle, work / name / "library", stream=True)
        costs.append(_costs(bundle, library, board, pcm, work / name))
        memory.append(sizes(library, board, work / name / "sizes"))
    heads = [f"`{name}`, a call, mean | worst | 16 ms" for name in bundles]
    lines = [f"| block | {' | '.join(heads)} |", "|---" * (1 + 3 * len(bundles)) + "|"]
    for row, case in enumerate(ROWS):
        lines.append(f"| {case} | {' | '.join(' | '.join(rows[row]) for rows in costs)} |")
    heads = [f"`{name}`, flash | RAM" for name in bundles]
    lines += ["", f"| bytes | {' | '.join(heads)} |", "|---" * (1 + 2 * len(bundles)) + "|"]
    for row, program in enumerate(PROGRAMS):
        cells = [f"{size.flash:,} | {size.ram:,}" for size in (listed[row] for listed in memory)]
        lines.append(f"| {program} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _costs(
    bundle: Bundle, library: Path, board: Board, pcm: NDArray[np.int16], work: Path
) -> list[tuple[str, str, str]]:
    """Of each row: mean and worst instructions of a call, and those of a hop of 16 ms."""
    compiled = [compile_source(library / source, board, work) for source in ("dyncp.c", "dyncp_stream.c")]
    rows = []
    for name, case in ROWS.items():
        heard = np.repeat(pcm, 3) if case.wide else pcm
        if case.channels == 2:
            heard = np.stack([heard, heard[::-1]], axis=1)
        made, instructions = on_board(library, board, case, heard, work / "core", 600.0, compiled)
        if not np.array_equal(made, _expected(bundle, heard, case)):
            raise ToolchainError(f"{name}: differs from the reference")
        # Channels with a stream of their own have calls of their own; the first hop is silent where work is even.
        calls = instructions.reshape(-1, 1 if case.pair else case.channels).sum(axis=1)[: len(heard) // case.block]
        hop = calls.sum() / len(heard) * (768 if case.wide else 256)
        settled = calls[len(calls) // 4 :]
        rows.append((f"{settled.mean():,.0f}", f"{settled.max():,}", f"{hop:,.0f}"))
    return rows


def _expected(bundle: Bundle, pcm: NDArray[np.int16], case: Case) -> NDArray[np.int16]:
    how = {"wide": case.wide, "even": case.even, "above": case.above}
    if case.channels == 1 or case.pair:
        return streaming.stream(bundle, pcm, **how)
    return np.stack([streaming.stream(bundle, np.ascontiguousarray(channel), **how) for channel in pcm.T], axis=1)


if __name__ == "__main__":
    sys.exit(command(__doc__, PAGE, MARKERS, measure))
