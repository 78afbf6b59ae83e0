# SPDX-License-Identifier: Apache-2.0
"""An engine that is missing, crashes, hangs or stops early fails the validation: nothing is skipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError, ConfigError, GenerationError, ToolchainError
from dyncp.export.formats.bundle import Bundle
from dyncp.firmware.proof.validate import validate

pytestmark = pytest.mark.slow

Make = Callable[[NetworkConfig], tuple[Bundle, Path]]

TINY = NetworkConfig(channels=4, hidden=8, stacks=1, dilations=(1,), gate=2, pooling_frames=3)
POINT = "s->macs.v += dcp_back("

CRASH = "*(volatile int *)0xF0000000u = 1;"
HANG = "for (volatile int forever = 1; forever;) {}"
# SYS_EXIT_EXTENDED with status 0, in the second frame.
STOP = """static int frames;
if (++frames == 2) {
    static const uint32_t block[2] = {0x20026u, 0};
    __asm__ volatile("movs r0, #0x20\\n\\tmov r1, %0\\n\\tbkpt 0xab" ::"r"(block) : "r0", "r1", "memory");
}"""


@pytest.mark.parametrize(
    ("fault", "message", "timeout_s"),
    [
        (CRASH, "fault: exception", None),
        (HANG, "still running after 1 s", 1.0),
        (STOP, r"records\.bin: the image wrote \d+ bytes, expected", None),
    ],
    ids=["crash", "hang", "short"],
)
def test_failing_core(
    fault: str,
    message: str,
    timeout_s: float | None,
    make: Make,
    pcm: NDArray[np.int16],
    tmp_path: Path,
) -> None:
    bundle, library = make(TINY)
    out = tmp_path / "out"
    out.mkdir()
    (out / "validation.json").write_text('{"bundle_hash": "of an earlier run"}')
    source = library / "dyncp.c"
    source.write_text(source.read_text().replace(POINT, f"\n#ifdef __arm__\n{fault}\n#endif\n{POINT}"))
    with pytest.raises(ToolchainError, match=message):
        validate(bundle, library, pcm, out, boards=["cortex-m4"], trace=False, timeout_s=timeout_s)
    assert not (out / "validation.json").exists()


def test_missing_emulator(make: Make, pcm: NDArray[np.int16], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, library = make(TINY)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("gcc", "arm-none-eabi-gcc", "arm-none-eabi-objdump"):
        real = shutil.which(name)
        (programs / name).write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin exec {real} "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(ToolchainError, match="qemu-system-arm: not found on PATH"):
        validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m4"], trace=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolchainError, match="gcc: not found on PATH"):
        validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m4"], trace=False)


def test_library_of_another_bundle(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(TINY)
    bundle.hash = "0" * 64
    with pytest.raises(GenerationError, match="generated from bundle"):
        validate(bundle, library, pcm, tmp_path / "out")


def test_bad_audio_and_bad_board(make: Make, pcm: NDArray[np.int16], tmp_path: Path) -> None:
    bundle, library = make(TINY)
    with pytest.raises(AudioError, match="multiple of 256"):
        validate(bundle, library, pcm[:300], tmp_path / "out")
    with pytest.raises(ConfigError, match="cortex-m1"):
        validate(bundle, library, pcm, tmp_path / "out", boards=["cortex-m1"])
