# SPDX-License-Identifier: Apache-2.0
"""Cores without a board of their own, under QEMU's user mode: Arm mode, older Arm cores, big-endian ones, x86 of 32
bits. Every word of every frame is the reference's (docs/porting.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from libraries import SMALL, STRICT, assert_same, difficult_audio, library

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ToolchainError
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.run import Run
from dyncp.firmware.building import toolchain

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Core:
    compile: tuple[str, ...]
    run: tuple[str, ...]


def arm(cpu: str, emulated: str, *mode: str) -> Core:
    """Programs of newlib, which calls QEMU by semihosting."""
    flags = ("-mfloat-abi=soft", "--specs=rdimon.specs")
    return Core(("arm-none-eabi-gcc", f"-mcpu={cpu}", *mode, *flags), ("qemu-arm", "-cpu", emulated))


CORES = {
    "cortex-a7-arm": arm("cortex-a7", "cortex-a7", "-marm"),
    "cortex-a7-thumb": arm("cortex-a7", "cortex-a7", "-mthumb"),
    "cortex-r5-arm": arm("cortex-r5", "cortex-r5", "-marm"),
    "cortex-r5-thumb": arm("cortex-r5", "cortex-r5", "-mthumb"),
    "arm1176-arm": arm("arm1176jz-s", "arm1176", "-marm"),
    "arm926-arm": arm("arm926ej-s", "arm926", "-marm"),
    "powerpc": Core(("powerpc-linux-gnu-gcc", "-static"), ("qemu-ppc",)),
    "s390x": Core(("s390x-linux-gnu-gcc", "-static"), ("qemu-s390x",)),
    "i686": Core(("i686-linux-gnu-gcc", "-static"), ("qemu-i386",)),
}
BIG_ENDIAN = ("powerpc", "s390x")
SHAPES = {
    "output-window": SMALL,
    "hidden-ema": SMALL.model_copy(update={"gate_site": "hidden", "pooling": "ema", "channels": 33, "hidden": 40}),
    "hidden-gate": SMALL.model_copy(update={"gate_site": "hidden", "pooling": "gate", "pooling_frames": (3, 4, 20)}),
}


@pytest.fixture(scope="module", params=SHAPES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Path]:
    config: NetworkConfig = SHAPES[request.param]
    return library(tmp_path_factory.mktemp("library"), config, seed=4)


def compiled(core: Core, folder: Path, target: Path, *flags: str) -> Path:
    sources = [Path(__file__).parent / "words.c", folder / "dyncp.c"]
    toolchain.run([*core.compile, *STRICT, *flags, f"-I{folder}", *sources, "-o", target])
    return target


def words(core: Core, program: Path, bundle: Bundle, pcm: np.ndarray) -> Run:
    """What the program writes for `pcm`."""
    folder, config = program.parent, bundle.config
    (folder / "in.pcm").write_bytes(pcm.astype("<i2").tobytes())
    toolchain.run([*core.run, program.name, "in.pcm", "out.bin"], cwd=folder, timeout_s=300)
    fields = [("output", "<i2", (HOP,)), ("masks", "<u4", (config.mask_words,))]
    fields += [(name, "<i4", (bundle.probe_outputs,)) for name in ("words", "signals")]
    table = np.fromfile(folder / "out.bin", np.dtype([*fields, ("macs", "<u4"), ("active", "<u4")]))
    macs, active = (table[name].astype(np.int64) for name in ("macs", "active"))
    return Run(table["output"].reshape(-1), table["masks"], table["words"], table["signals"], macs, active)


@pytest.mark.parametrize("optimize", ["-O2", "-Os"])
@pytest.mark.parametrize("core", CORES)
def test_every_word_is_the_references(tmp_path: Path, made: tuple[Bundle, Path], core: str, optimize: str) -> None:
    bundle, folder = made
    audio = difficult_audio()
    program = compiled(CORES[core], folder, tmp_path / "words", optimize)
    assert_same(reference.run(bundle, audio), words(CORES[core], program, bundle, audio))


@pytest.mark.parametrize("core", [core for core in CORES if core not in BIG_ENDIAN])
def test_the_kernels_for_dsp_in_plain_c(tmp_path: Path, made: tuple[Bundle, Path], core: str) -> None:
    bundle, folder = made
    audio = difficult_audio(1)
    program = compiled(CORES[core], folder, tmp_path / "words", "-O2", "-DDYNCP_DSP")
    assert_same(reference.run(bundle, audio), words(CORES[core], program, bundle, audio))


@pytest.mark.parametrize("core", [*BIG_ENDIAN, "cortex-r5-arm"])
def test_the_kernels_for_dsp_refuse_a_big_endian_core(tmp_path: Path, made: tuple[Bundle, Path], core: str) -> None:
    compiler, *flags = CORES[core].compile
    big = [] if core in BIG_ENDIAN else ["-mbig-endian"]
    library = ["-c", made[1] / "dyncp.c", "-o", tmp_path / "dyncp.o"]
    toolchain.run([compiler, *flags, *big, *STRICT, "-O2", *library])
    with pytest.raises(ToolchainError, match="DYNCP_DSP is for little-endian cores"):
        toolchain.run([compiler, *flags, *big, *STRICT, "-O2", "-DDYNCP_DSP", *library])
