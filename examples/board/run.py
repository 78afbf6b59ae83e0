# SPDX-License-Identifier: Apache-2.0
"""Build the application for an emulated board and let it listen to a file.

python examples/board/run.py LIBRARY noisy.wav headphones.wav [BOARD [SECOND …]]

LIBRARY is a folder of `dyncp generate`; BOARD a core or folder of firmware/boards, cortex-m4 if it is not named. The
button is pressed at each SECOND. What comes out is what the headphones get, its delay removed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dyncp.base.audio import pad_to_hop, read_pcm, write_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.firmware.building.boards import Board, select
from dyncp.firmware.building.image import compile_source, link
from dyncp.firmware.emulators.emulate import run_image

HERE = Path(__file__).parent


def build(library: Path, board: Board, work: Path) -> Path:
    """The image of the application, in the folder `work`."""
    headers = ["-I", str(library.resolve()), "-I", str(HERE.resolve())]
    sources = [library / "dyncp.c", HERE / "main.c", HERE / "hal_files.c"]
    return link(board, [compile_source(source, board, work, headers) for source in sources], work)


def listen(elf: Path, board: Board, microphone: np.ndarray, pressed: Sequence[int] = ()) -> np.ndarray:
    """What the headphones get for int16 samples [n · 256], where the button is pressed in blocks of these numbers."""
    button = np.zeros(len(microphone) // HOP, np.uint8)
    button[list(pressed)] = 1
    (elf.parent / "microphone.pcm").write_bytes(microphone.astype("<i2").tobytes())
    (elf.parent / "button.bin").write_bytes(button.tobytes())
    run_image(elf, board, (), timeout_s=600)
    return np.fromfile(elf.parent / "headphones.pcm", "<i2")


def main(library: str, source: str, target: str, core: str = "cortex-m4", *seconds: str) -> None:
    (board,) = select([core])
    pcm = read_pcm(Path(source))
    pressed = [int(float(second) * SAMPLE_RATE) // HOP for second in seconds]
    with tempfile.TemporaryDirectory() as work:
        elf = build(Path(library), board, Path(work))
        heard = listen(elf, board, pad_to_hop(pcm, extra_hops=1), pressed)
    write_pcm(Path(target), heard[HOP : HOP + len(pcm)])


if __name__ == "__main__":
    main(*sys.argv[1:])
