# SPDX-License-Identifier: Apache-2.0
"""Every line and every branch of the runtime's C is run by networks on audio (docs/assurance.md): what cannot be
reached has no place there. Assembly and Helium's vectors are another matter: they run on emulated cores only."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from bundles import ProbeWidth, random_bundle
from framings import EARS, framed
from libraries import RUNTIME, difficult_audio
from networks import BANDS

from dyncp.base.config.framing import Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, Probes, ProbeTask, write_bundle
from dyncp.firmware.building import toolchain

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Network:
    config: NetworkConfig
    probes: ProbeWidth
    outputs: int = 5
    score: Literal["random", "tied", "open"] = "random"
    """Channels score as they come; the same by fours; or all of them always positive."""
    in_place_fft: bool = False
    zero: bool = False
    """Whether all values of the first block are 0 after its depthwise layer."""


# Shapes that leave a remainder of every kernel's step, and shapes that leave none; caps with and without ties; masks of
# which more than a list of flips holds change at once.
EVEN = NetworkConfig(channels=16, hidden=40, gate=8, stacks=1, dilations=(1, 2), pooling_frames=5)
ODD = EVEN.model_copy(update={"channels": 33, "hidden": 45, "gate": 3})
HIDDEN = {"gate_site": "hidden", "pooling": "ema"}
NETWORKS = [
    Network(EVEN.model_copy(update={"block_cap": 6, "frame_cap": 9}), "int8", score="tied"),
    Network(EVEN.model_copy(update={"channels": 40, "block_cap": 7}), "int16"),
    Network(ODD.model_copy(update=HIDDEN), "int16"),
    Network(ODD.model_copy(update={"channels": 34, "gate": 16}), "int16", outputs=23),
    Network(EVEN.model_copy(update={**HIDDEN, "hidden": 70, "gate": 20}), "int8", outputs=23),
    Network(EVEN.model_copy(update={**HIDDEN, "channels": 4, "hidden": 128}), "int8", score="open"),
    Network(EVEN.model_copy(update={**HIDDEN, "hidden": 128, "stacks": 4}), "int8"),
    Network(EVEN.model_copy(update={**HIDDEN, "bands": BANDS, "gate_period": 3}), "int8"),
    Network(EVEN.model_copy(update={**HIDDEN, "pooling": "gate", "pooling_frames": (3, 9, 40)}), "int8"),
    Network(EVEN.model_copy(update=HIDDEN), "int8", score="open", zero=True),
    Network(ODD.model_copy(update={"kernel": 2}), "int8", in_place_fft=True),
    Network(ODD.model_copy(update={**HIDDEN, "kernel": 5, "gate": 12}), "int8"),
    Network(EVEN.model_copy(update={**HIDDEN, "hidden": 128, "kernel": 4}), "int8", score="open"),
    # Transforms of an even and of an odd number of stages, of the fewest and of the most.
    Network(framed(EVEN, Framing(32, 128, 112, 96)), "int8"),
    Network(framed(EVEN, EARS), "int8", in_place_fft=True),
    Network(framed(EVEN, Framing(512, 1024, 1024, 1024)), "int8"),
]
WORDS = Path(__file__).parents[1] / "portability" / "words.c"


def bundle_of(network: Network, folder: Path) -> Bundle:
    bundle = random_bundle(network.config, 3, network.probes)
    for block in range(network.config.blocks):
        for part in ("weight", "bias"):
            tensor = bundle.tensors[f"blocks.{block}.gate.score.{part}"]
            if network.score == "tied":
                tensor[:] = np.repeat(tensor[::4], 4, axis=0)
            elif network.score == "open":
                tensor[:] = 0 if part == "weight" else 1
    if network.zero:
        bundle.tensors["blocks.0.depthwise.weight"][:] = 0
        bundle.tensors["blocks.0.depthwise.bias"][:] = 0
    if network.outputs != bundle.probe_outputs:
        bundle.probes = widened(bundle.probes, network.outputs)
    write_bundle(bundle, folder)
    return bundle


def widened(probes: Probes | None, outputs: int) -> Probes:
    """The same features for so many outputs."""
    assert probes is not None
    tasks = [ProbeTask(name=f"t{o}", kind="regression", outputs=1, q=8, unit="dB", smoothing=2) for o in range(outputs)]
    return Probes(
        np.resize(probes.weight, (len(probes.channel), outputs)), np.resize(probes.bias, outputs), probes.channel, tasks
    )


def reports(folder: Path) -> Iterator[dict[str, Any]]:
    """gcov's figures of all builds, a source file each."""
    audio = difficult_audio()
    for i, network in enumerate(NETWORKS):
        for kernels in ("PORTABLE", "DSP"):
            work = folder / f"{kernels}{i}"
            bundle, in_place = bundle_of(network, work / "bundle"), network.in_place_fft
            library = generate(bundle, work / "library", selftest=True, in_place_fft=in_place)
            flags = [
                "-std=c99",
                "-O0",
                "--coverage",
                "-DCALL_SELFTEST",
                "-DCHANGE_SETTINGS",
                f"-DDYNCP_{kernels}",
                f"-I{library}",
            ]
            toolchain.run(["gcc", *flags, WORDS, library / "dyncp.c", "-o", "words"], cwd=work)
            (work / "in.pcm").write_bytes(audio.tobytes())
            subprocess.run([work / "words", "in.pcm", "out.bin"], cwd=work, check=True)
            toolchain.run(["gcov", "--json-format", "--branch-probabilities", "words-dyncp.gcda"], cwd=work)
            [report] = work.glob("*dyncp*.gcov.json.gz")
            yield from json.loads(gzip.decompress(report.read_bytes()))["files"]


def test_every_line_and_branch_of_the_runtime_is_run(tmp_path: Path) -> None:
    runtime = {path.name for folder in RUNTIME for path in folder.glob("*.h") if folder.name != "helium"}
    run: dict[str, bool] = defaultdict(bool)
    for file in reports(tmp_path):
        name = Path(file["file"]).name
        for line in file["lines"] if name in runtime else []:
            place = f"{name}:{line['line_number']}"
            run[place] |= line["count"] > 0
            for n, branch in enumerate(line["branches"]):
                run[f"{place}, branch {n}"] |= branch["count"] > 0
    files = {place.split(":")[0] for place in run}
    # The rest only choose among these, name sections, or are Arm's assembly and vectors.
    beside = {"dyncp_kernels.h", "dyncp_sections.h", "dyncp_dsp_fft.h", "dyncp_dsp_frames.h", "dyncp_taps_helium.h"}
    assert runtime - files == beside
    assert sum("branch" not in place for place in run) > 800
    assert sum("branch" in place for place in run) > 250
    missed = sorted(place for place, done in run.items() if not done)
    assert not missed, "\n".join(missed)
