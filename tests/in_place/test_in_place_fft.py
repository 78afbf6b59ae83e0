# SPDX-License-Identifier: Apache-2.0
"""Libraries whose transforms work in place of the spectrum: the same words in less RAM, of every size of transform."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import run
from framings import EARS, framed, name_of
from libraries import STRICT, assert_same, written_bundle
from networks import BANDS
from numpy.typing import NDArray

from dyncp.base.config.framing import STANDARD, Framing
from dyncp.base.config.network import NetworkConfig
from dyncp.base.paths import NETWORKS
from dyncp.codegen.accounting import memory
from dyncp.codegen.generate import generate, read_library, renew_probes
from dyncp.codegen.plan.layout import layout
from dyncp.codegen.plan.scratch import buffers, plan
from dyncp.export.formats.bundle import Bundle, read_bundle
from dyncp.export.formats.shipped import read_figures
from dyncp.export.integers import reference
from dyncp.firmware.building import toolchain
from dyncp.firmware.host.library import HostLibrary
from dyncp.firmware.proof.validate import validate
from dyncp.firmware.report.build import build_report

pytestmark = pytest.mark.slow

TINY = NetworkConfig(channels=8, hidden=8, gate=4, stacks=1, dilations=(1, 2), pooling_frames=4)
# Transforms of 256, 64, 128 and 512 points, of which two have an odd number of stages.
FRAMINGS = [STANDARD, Framing(32, 128, 128, 64), EARS, Framing(512, 1024, 1024, 1024)]
RAM = 8192


def made(folder: Path, framing: Framing) -> tuple[Bundle, Path]:
    config = TINY.model_copy(update={"bands": BANDS}) if framing == STANDARD else framed(TINY, framing)
    bundle = written_bundle(folder / "bundle", config)
    return bundle, generate(bundle, folder / "library", in_place_fft=True)


def sounds(framing: Framing) -> NDArray[np.int16]:
    """Noise of full scale around silence that is longer than a window."""
    loud = np.random.default_rng(5).integers(-32768, 32768, 6 * framing.hop).astype(np.int16)
    silence = np.zeros((framing.analysis // framing.hop + 3) * framing.hop, np.int16)
    return np.concatenate([loud, silence, loud])


@pytest.mark.parametrize("framing", FRAMINGS, ids=name_of)
def test_the_host_equals_the_reference(framing: Framing, tmp_path: Path) -> None:
    bundle, folder = made(tmp_path, framing)
    pcm = sounds(framing)
    assert_same(reference.run(bundle, pcm), HostLibrary(folder, build_dir=tmp_path).run(pcm))


def test_tiny_is_exact_and_takes_8_kb_of_ram(tmp_path: Path) -> None:
    """The whole image, its stack and the test program's buffers included."""
    bundle = read_bundle(NETWORKS / "tiny")
    folder = generate(bundle, tmp_path / "library", in_place_fft=True)
    cores = ["cortex-m3", "cortex-m4", "cortex-m55"]
    record = validate(bundle, folder, sounds(STANDARD), tmp_path / "out", boards=cores, trace=False)
    assert record.exact
    assert record.in_place_fft
    assert [target.name for target in record.targets if target.memory.ram <= RAM] == cores
    report = build_report(bundle, tmp_path / "out")
    assert "transform" not in report.memory.scratch_buffers
    assert report.memory.ram.scratch == memory(bundle, in_place_fft=True).scratch


def test_other_frames_are_exact(tmp_path: Path) -> None:
    bundle, folder = made(tmp_path, EARS)
    cores = ["cortex-m4", "cortex-m55"]
    assert validate(bundle, folder, sounds(EARS), tmp_path / "out", boards=cores, trace=False).exact


@pytest.mark.parametrize("framing", [STANDARD, EARS], ids=name_of)
def test_the_scratch_has_no_buffer_for_transforms(framing: Framing) -> None:
    config = framed(TINY, framing)
    names = {in_place: {buffer.name for buffer in buffers(config, in_place)} for in_place in (False, True)}
    assert names[False] - names[True] == {"transform"}
    assert names[True] < names[False]
    before, after = (layout(config, None, in_place_fft=in_place) for in_place in (False, True))
    assert before.state.bytes - after.state.bytes == before.scratch.bytes - after.scratch.bytes > 0
    ends = [start + buffer.bytes for buffer, start in plan(buffers(config, in_place_fft=True)).items()]
    assert after.scratch.bytes - max(ends) in range(4)


@pytest.mark.parametrize(("compiler", "framing"), [("gcc", STANDARD), ("clang", EARS)], ids=["gcc", "clang"])
def test_with_every_option_it_compiles_without_a_warning(compiler: str, framing: Framing, tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle", framed(TINY, framing))
    folder = generate(bundle, tmp_path / "library", selftest=True, shared_scratch=True, stream=True, in_place_fft=True)
    toolchain.run([compiler, *STRICT, "-O1", "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


def test_only_such_libraries_bring_the_header_and_say_so(tmp_path: Path) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    plain = generate(bundle, tmp_path / "plain")
    folder = generate(bundle, tmp_path / "library", in_place_fft=True)
    added = {path.name for path in folder.iterdir()} - {path.name for path in plain.iterdir()}
    assert added == {"dyncp_in_place.h"}
    assert "in_place" not in (plain / "dyncp_manifest.json").read_text() + (plain / "dyncp.c").read_text()
    before = (folder / "dyncp.c").read_bytes()
    renew_probes(bundle, folder, signals=["vad"])
    assert (read_library(folder).in_place_fft, read_library(plain).in_place_fft) == (True, False)
    assert (folder / "dyncp.c").read_bytes() == before


def test_generate_tells_the_ram_that_is_left(tmp_path: Path) -> None:
    told = run("generate", "tiny", tmp_path / "library", "--in-place-fft").stderr
    ram = memory(read_bundle(NETWORKS / "tiny"), in_place_fft=True).state_total + read_figures("tiny").core.stack
    assert f"{ram:,} bytes of RAM" in told
    assert "flash and instructions without --in-place-fft" in told
