# SPDX-License-Identifier: Apache-2.0
"""Enhances a file from Python, block by block, and prints what the signals say once a second.

    python examples/enhance.py build/demo/bundle noisy.wav enhanced.wav

The C library of the bundle does the work, generated and compiled for this machine: the output is the device's, bit for
bit. `dyncp enhance` does the same from the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from dyncp.base.audio import pad_to_the_end, read_pcm, write_pcm
from dyncp.export.formats.bundle import read_bundle
from dyncp.export.integers.signals import columns, read_out, rows
from dyncp.firmware.host.library import host_library

BLOCK_S = 1.0
"""How much is enhanced at a time: any whole number of hops, here about a second."""


def enhance(bundle_folder: Path, source: Path, target: Path) -> None:
    """Write `target`, of the length of `source` and aligned with it."""
    bundle = read_bundle(bundle_folder)
    framing = bundle.config.framing
    noisy, block = read_pcm(source, framing.rate), framing.frames(BLOCK_S) * framing.hop
    # The output lags the input: hops of silence bring the end of the recording.
    padded = pad_to_the_end(noisy, framing)
    tasks = bundle.probes.tasks if bundle.probes else []
    print("time_s", *columns(tasks), "macs", sep="\t")
    enhanced = []
    with host_library(bundle) as library:
        stream = library.stream()
        for start in range(0, len(padded), block):
            run = stream.run(padded[start : start + block])
            enhanced.append(run.output)
            *_, last = rows(read_out(bundle, run.signals), run.frames)
            print(f"{start / framing.rate + run.frames / framing.frames_per_second:.2f}", *last, run.macs[-1], sep="\t")
    write_pcm(target, np.concatenate(enhanced)[framing.delay :][: len(noisy)], framing.rate)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    enhance(*map(Path, sys.argv[1:]))
