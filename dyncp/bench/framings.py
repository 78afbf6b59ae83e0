# SPDX-License-Identifier: Apache-2.0
"""Instructions of the front end by the size of its frames, on every core: of loud noise, and of digital silence.

Prints a table; `--docs` renews that of docs/kernels.md. Each bin is a feature, which is the dearest case.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markdown import Markdown

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ToolchainError
from dyncp.base.files import replace_file
from dyncp.bench.assurance.random_networks import random_bundle
from dyncp.bench.between import split
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.firmware.bench.bench import FRONT_END
from dyncp.firmware.cost.baselines import CORES
from dyncp.firmware.proof.validate import validate

OUT = Path("build/bench/framings")
PAGE = Path("docs/kernels.md")
MARKERS = "<!-- front end by frames: make bench-docs -->\n", "<!-- end of the front end by frames -->"
FRAMINGS = (
    Framing(32, 128, 128, 64),
    Framing(64, 256, 256, 128),
    Framing(128, 256, 256, 256),
    STANDARD,
    Framing(512, 1024, 1024, 1024),
)
FRAMES = 8


def network(framing: Framing) -> Bundle:
    """Next to nothing but a front end."""
    config = NetworkConfig(
        hop=framing.hop,
        fft=framing.fft,
        analysis_window=framing.analysis,
        synthesis_window=framing.synthesis,
        channels=8,
        hidden=8,
        gate=4,
        stacks=1,
        dilations=(1, 2),
        pooling_frames=4,
    )
    return random_bundle(config, 0, None)


def measure(bundle: Bundle, library: Path, pcm: Pcm, out: Path) -> list[dict[str, float]]:
    """Mean instructions of a frame by stage of the front end, one dictionary a core.

    Raises ToolchainError where a word differs.
    """
    record = validate(bundle, library, pcm, out, boards=CORES, trace=False)
    if not record.exact:
        raise ToolchainError(f"{out / 'validation.json'}: not bit-exact, so its counts mean nothing")
    return [{stage: target.instructions_by_stage[stage] for stage in FRONT_END} for target in record.targets]


def rows(framing: Framing, work: Path) -> list[str]:
    """Markdown, a column a core: the stages in a frame of noise, their sum, and that of a frame of silence."""
    bundle = network(framing)
    write_bundle(bundle, work / "bundle")
    library = generate(bundle, work / "library", "dyncp")
    noise = np.random.default_rng(0).integers(-32768, 32768, FRAMES * framing.hop).astype(np.int16)
    loud = measure(bundle, library, noise, work / "noise")
    silent = measure(bundle, library, np.zeros_like(noise), work / "silence")
    counts = {stage: [core[stage] for core in loud] for stage in FRONT_END}
    counts |= {
        "**front end**": [sum(core.values()) for core in loud],
        "… in silence": [sum(core.values()) for core in silent],
    }
    sizes = f"{framing.hop} of {framing.fft}, {framing.analysis}, {framing.synthesis}"
    return [f"| {' | '.join([sizes, name, *(f'{n:,.0f}' for n in values)])} |" for name, values in counts.items()]


def table() -> str:
    names = [core.removeprefix("cortex-").upper() for core in CORES]
    lines = [f"| hop of FFT, both windows | stage | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for framing in FRAMINGS:
        lines += rows(framing, OUT / f"{framing.hop}-{framing.fft}")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help=f"renew the table of {PAGE}")
    arguments = parser.parse_args()
    measured = table()
    Console().print(Markdown(measured))
    if arguments.docs:
        before, _, after = split(PAGE.read_text(encoding="utf-8"), MARKERS)
        replace_file(PAGE, (before + measured + after).encode())


if __name__ == "__main__":
    main()
