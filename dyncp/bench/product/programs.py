# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM of the least programs around a library: the core alone, with all controls, with a stream."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dyncp.bench.product.symbols import symbols
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.boards import Board
from dyncp.firmware.building.image import compile_source, link

_CORE = """
#include "dyncp.h"
dyncp_state state;
int main(void) {
    static int16_t pcm[DYNCP_HOP];
    static dyncp_signals signals;
    (void)dyncp_init(&state);
    return (int)dyncp_process(&state, pcm, pcm, &signals)%s;
}
"""

_CONTROLS = """
        + (int)dyncp_set_limit(&state, 12) + (int)dyncp_set_strength(&state, 80)
        + (int)dyncp_set_bypass(&state, 0) + (int)dyncp_set_smoothing(&state, 100, 60)
        + (int)dyncp_set_decision(&state, 0, 1, 2) + (int)dyncp_set_cap(&state, DYNCP_GATES, DYNCP_FRAME_CAP)
        + (int)dyncp_get_settings(&state, &settings) + (int)dyncp_gains(&state)[0]"""

_STREAM = """
#include "dyncp_stream.h"
dyncp_stream state;
%s
int main(void) {
    static int16_t block[2];
    dyncp_stream_options options = {0};
    %s
    (void)dyncp_stream_init(&state, &options);
    return (int)dyncp_stream_int16(&state, block, block, 1);
}
"""

PROGRAMS = {
    "core alone": _CORE % "",
    "with all controls": _CORE.replace("int main", "static dyncp_settings settings;\nint main") % _CONTROLS,
    "with a stream": _STREAM % ("", ""),
    "… at 48 kHz": _STREAM % ("dyncp_resampler resampler;", "options.resampler[0] = &resampler;"),
    "… passing what is above 8 kHz": _STREAM
    % (
        "dyncp_resampler resampler;\ndyncp_above above;",
        "options.resampler[0] = &resampler;\n    options.above[0] = &above;",
    ),
    "… in stereo with one gain": _STREAM % ("dyncp_pair pair;", "options.pair = &pair;"),
}
"""C by what it shows; it is linked and never run."""

KEPT = ("state", "resampler", "above", "pair")


class Size(NamedTuple):
    """Bytes."""

    flash: int
    """Of the whole image, with the start-up of the test programs."""
    ram: int
    """Of what the library is given to keep, without the stack."""


def sizes(library: Path, board: Board, work: Path) -> list[Size]:
    """Of each of PROGRAMS, around a library with a stream and the prefix `dyncp`."""
    include = ("-I", str(library.resolve()), "-ffunction-sections")
    objects = [compile_source(library / name, board, work, include) for name in ("dyncp.c", "dyncp_stream.c")]
    listed = []
    for number, text in enumerate(PROGRAMS.values()):
        source = work / f"program{number}.c"
        source.write_text(text, encoding="ascii")
        folder = work / f"image{number}"
        image = link(board, [*objects, compile_source(source, board, folder, include)], folder)
        words = toolchain.run([f"{toolchain.CROSS}size", image]).splitlines()[1].split()
        kept = symbols(image)
        listed.append(Size(int(words[0]) + int(words[1]), sum(kept.get(name, 0) for name in KEPT)))
    return listed
