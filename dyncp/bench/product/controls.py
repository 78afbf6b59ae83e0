# SPDX-License-Identifier: Apache-2.0
"""What each control costs a frame on emulated cores, and what it adds to flash and RAM.

Without bundles: the shipped `steady`, `small` and `tiny`. `--docs` renews the table between the markers of
docs/controls.md. Every frame must also equal the reference. `without controls` is the library with the one comparison
taken out that looks whether any is set.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import ToolchainError
from dyncp.bench.product.page import command
from dyncp.bench.product.shipped import shipped
from dyncp.bench.product.symbols import symbols
from dyncp.codegen.generate import generate
from dyncp.codegen.plan.layout import layout
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.controls import DEFAULT, Decision, Settings
from dyncp.firmware.building.boards import Board, select
from dyncp.firmware.building.image import compile_source
from dyncp.firmware.emulators.counting import build_plugin
from dyncp.firmware.proof.product.controls import controlled, instructions, on_board

PAGE = Path("docs/controls.md")
MARKERS = "<!-- python -m dyncp.bench.product.controls --docs -->\n", "<!-- end of the costs -->"
CORES = ("cortex-m4", "cortex-m55")
FRAMES = 24
SPEECH, NOISE = {"vad": Decision(100, 8)}, {"noise": Decision(100, 30)}
ROWS = {
    "without controls": (DEFAULT, ()),
    "defaults": (DEFAULT, ()),
    "`P_set_limit`": (Settings(limit=12), ("set_limit",)),
    "`P_set_strength`, below 100 %": (Settings(strength=60), ("set_strength",)),
    "`P_set_strength`, above 100 %": (Settings(strength=150), ()),
    "`P_set_smoothing`": (Settings(release=30), ("set_smoothing",)),
    "`P_set_bypass`, while it is on": (Settings(bypass=True), ("set_bypass",)),
    "`P_set_decision` of `vad`": (Settings(decisions=SPEECH), ("set_decision", "set_vad")),
    "`P_set_decision` of `noise`": (Settings(decisions=NOISE), ()),
    "`P_get_settings`, `P_gains`": (DEFAULT, ("get_settings", "gains")),
    "all of them": (Settings(12, 150, True, 60, 30, SPEECH | NOISE), ()),
}
"""Settings, and the functions that a program then links."""

LOOKS = "own->controls.shaped"


def counts(bundle: Bundle, library: Path, board: Board, pcm: NDArray[np.int16], work: Path) -> list[float]:
    """Mean instructions of a frame, a row each."""
    source, plugin = library / "dyncp.c", build_plugin(work)
    text = source.read_text(encoding="ascii")
    bare = library / "bare.c"
    bare.write_text(text.replace(f"shaped = {LOOKS};", "shaped = 0;"), encoding="ascii")
    if text.count(LOOKS) != 1:
        raise ToolchainError(f"{source}: does not look once whether a control is set")
    compiled = {name: compile_source(library / name, board, work / name) for name in ("bare.c", "dyncp.c")}
    means = []
    for row, (settings, _) in enumerate(ROWS.values()):
        expected = controlled(bundle, pcm, [settings] * (len(pcm) // 256))
        if on_board(library, compiled["dyncp.c" if row else "bare.c"], board, expected, work, 600.0, plugin):
            raise ToolchainError(f"{board.core}: differs from the reference with {settings}")
        means.append(float(instructions(work).mean()))
    return means


def measure(bundles: list[str], work: Path) -> str:
    """Markdown: instructions that a row adds on each network and core, and flash of the first network and core."""
    names = [core.removeprefix("cortex-").upper() for core in CORES]
    columns: list[list[float]] = []
    memory, flash = [], dict[str, int]()
    for name in bundles:
        bundle, pcm = shipped(Path(name), FRAMES)
        library = generate(bundle, work / name / "library")
        columns += [counts(bundle, library, board, pcm, work / name / board.core) for board in select(list(CORES))]
        flash = flash or symbols(work / name / CORES[0] / "dyncp.c" / "dyncp.o")
        memory.append(_memory(bundle, name))
    heads = [f"`{name}`, {core}" for name in bundles for core in names]
    lines = [f"| instructions per frame | {' | '.join(heads)} | flash on {names[0]}, bytes |"]
    lines.append("|---" * (len(heads) + 2) + "|")
    for row, (name, (_, functions)) in enumerate(ROWS.items()):
        cells = [_cell(row, means) for means in columns]
        bytes_of = sum(flash[f"dyncp_{function}"] for function in functions)
        cells.append(f"{flash['dcp_shape']:,}, always" if row == 1 else f"{bytes_of:,}" if functions else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"RAM, as part of the state: {'; '.join(memory)}."]) + "\n"


def _cell(row: int, means: list[float]) -> str:
    """The whole frame, what the defaults add to it, and what a row adds to the defaults."""
    if row == 0:
        return f"{means[0]:,.0f}"
    if row == 1:
        return f"{round(means[1] - means[0]):+,} ({100 * (means[1] / means[0] - 1):.2f} %)"
    return f"{round(means[row] - means[1]):+,}"


def _memory(bundle: Bundle, name: str) -> str:
    structs = layout(bundle.config, bundle.probes)
    decisions = sum(member.bytes for member in structs.probes.members if member.name == "decisions")
    gains = next(member.bytes for member in structs.state.members if member.name == "gain")
    return f"`{name}` {structs.controls.bytes} bytes of settings, {decisions} of decisions, {gains} of gains"


if __name__ == "__main__":
    sys.exit(command(__doc__, PAGE, MARKERS, measure))
