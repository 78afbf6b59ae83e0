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

from dyncp.base.audio import pad_to_hop, read_pcm, write_pcm
from dyncp.base.config.framing import HOP, SAMPLE_RATE
from dyncp.export.formats.bundle import read_bundle
from dyncp.export.integers.signals import columns, read_out, rows
from dyncp.firmware.host.library import host_library

BLOCK = SAMPLE_RATE // HOP * HOP
"""Samples that are enhanced at a time: any whole number of hops, here almost a second."""


def enhance(bundle_folder: Path, source: Path, target: Path) -> None:
    """Write `target`, of the length of `source` and aligned with it."""
    bundle = read_bundle(bundle_folder)
    noisy = read_pcm(source)
    # The output lags the input by one hop: one hop of silence more brings the end of the recording.
    padded = pad_to_hop(noisy, extra_hops=1)
    tasks = bundle.probes.tasks if bundle.probes else []
    print("time_s", *columns(tasks), "macs", sep="\t")
    enhanced = []
    with host_library(bundle) as library:
        stream = library.stream()
        for start in range(0, len(padded), BLOCK):
            run = stream.run(padded[start : start + BLOCK])
            enhanced.append(run.output)
            *_, last = rows(read_out(bundle, run.signals), run.frames)
            print(f"{(start + run.frames * HOP) / SAMPLE_RATE:.2f}", *last, run.macs[-1], sep="\t")
    write_pcm(target, np.concatenate(enhanced)[HOP : HOP + len(noisy)])


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    enhance(*map(Path, sys.argv[1:]))
