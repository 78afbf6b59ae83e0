# SPDX-License-Identifier: Apache-2.0
"""Every program of examples/, built and run as its page says: all give the samples of the reference."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from shipped import shipped_bundle
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.audio import pad_to_hop, read_pcm, write_pcm
from dyncp.base.config.framing import HOP
from dyncp.base.paths import CHECKPOINTS
from dyncp.cli import commands
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle, read_bundle
from dyncp.export.integers import reference
from dyncp.firmware.building.boards import select
from dyncp.train.corpora.demo_corpus import build_demo_corpus

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
FRAMES = 140

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Place:
    bundle: Bundle
    folder: Path
    pcm: NDArray[np.int16]
    """Two seconds and a part of a hop."""

    def make(self, *words: str) -> None:
        folders = (f"LIBRARY={self.folder / 'library'}", f"OUT={self.folder}")
        subprocess.run(["make", "-C", EXAMPLES, *folders, *words], check=True, timeout=300)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("examples")
    bundle = shipped_bundle("small", folder / "bundle")
    generate(bundle, folder / "library")
    pcm = speech_like(FRAMES, seed=3)[:-100]
    write_pcm(folder / "noisy.wav", pcm)
    built = Place(bundle, folder, pcm)
    built.make("all")
    return built


def aligned(bundle: Bundle, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    """The reference's output without its delay."""
    return reference.run(bundle, pad_to_hop(pcm, extra_hops=1)).output[HOP : HOP + len(pcm)]


def test_c_enhances_a_file_and_tells_signals(place: Place) -> None:
    command = [place.folder / "enhance-c", place.folder / "noisy.wav", place.folder / "c.wav"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert np.array_equal(read_pcm(place.folder / "c.wav"), aligned(place.bundle, place.pcm))
    lines = told.splitlines()
    # A line for each second, of 62 hops; one hop more than the audio brings its end.
    assert len(lines) == (FRAMES + 1) // 62
    macs = reference.run(place.bundle, pad_to_hop(place.pcm)).macs
    for second, line in enumerate(lines, start=1):
        found = re.match(r" *[\d.]+ s +(\d+) MACs  (speech|pause )(  SNR +-?[\d.]+ dB)?$", line)
        assert found, line
        assert int(found[1]) == macs[62 * second - 1]


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF\0\0\0\0WAVE", b"no wave file, but longer than the header of one " * 4],
    ids=["empty", "without samples", "other"],
)
def test_c_refuses_what_is_no_wave(place: Place, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.wav").write_bytes(content)
    command = [place.folder / "enhance-c", tmp_path / "in.wav", tmp_path / "out.wav"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "is no WAV file of 16 kHz" in result.stderr
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("limit", [None, 60_000, 0])
def test_cpp_enhances_a_pipe_under_a_cap(place: Place, limit: int | None) -> None:
    command = [str(place.folder / "enhance-cpp"), *([] if limit is None else [str(limit)])]
    result = subprocess.run(command, input=place.pcm.tobytes(), check=True, capture_output=True, timeout=60)
    config = place.bundle.config
    # Gates take turns: DYNCP_MACS_MIN has the frame in which the fewest decide.
    least, most = (pick(config.frame_macs(t, 0) for t in range(config.gate_period)) for pick in (min, max))
    if limit is not None:
        channels = max(0, limit - least) // (config.frame_macs(0, 1) - config.frame_macs(0, 0))
        config = config.model_copy(update={"block_cap": channels // config.blocks})
    capped = replace(place.bundle, config=config)
    whole = place.pcm[: len(place.pcm) // HOP * HOP]
    expected = reference.run(capped, whole)
    assert np.array_equal(np.frombuffer(result.stdout, "<i2"), expected.output)
    if limit:
        assert expected.macs.max() <= limit + most - least


def test_bare_metal_equals_the_reference(place: Place) -> None:
    (place.folder / "noisy.pcm").write_bytes(place.pcm.tobytes())
    place.make("run-bare-metal", f"PCM={place.folder / 'noisy.pcm'}")
    whole = place.pcm[: len(place.pcm) // HOP * HOP]
    made = np.fromfile(place.folder / "out.pcm", "<i2")
    assert np.array_equal(made, reference.run(place.bundle, whole).output)


def test_bare_metal_has_the_boards_memory() -> None:
    script = re.sub(r"/\*.*?\*/\s*", "", (EXAMPLES / "bare-metal" / "memory.ld").read_text(), flags=re.DOTALL)
    (board,) = select(["mps2-an386"])
    assert script.split() == board.memory_script().split()


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, **environment}
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, env=environment)


def test_python_enhances_a_file_and_tells_signals(place: Place) -> None:
    wav = place.folder / "python.wav"
    told = python(EXAMPLES / "enhance.py", place.folder / "bundle", place.folder / "noisy.wav", wav).stdout
    assert np.array_equal(read_pcm(wav), aligned(place.bundle, place.pcm))
    head, *lines = (line.split("\t") for line in told.splitlines())
    assert {"time_s", "vad", "snr_in_db", "macs"} <= set(head)
    assert len(lines) == -(-(FRAMES + 1) // 62)
    assert all(len(line) == len(head) for line in lines)


def test_the_target_becomes_a_field_of_the_struct(tmp_path: Path) -> None:
    corpus = build_demo_corpus(tmp_path / "corpus", 20, 10)
    network, bundle = shutil.copytree(CHECKPOINTS / "small", tmp_path / "network"), tmp_path / "bundle"

    def dyncp(*arguments: object) -> None:
        result = CliRunner().invoke(commands, [str(argument) for argument in arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output

    dyncp("export", network, bundle, "--corpus", corpus, "--clips", 0)
    options = ("--minutes", 1, "--signals", "vad", "--target", EXAMPLES / "level.py")
    dyncp("probe", network, bundle, "--corpus", corpus, *options)
    dyncp("generate", bundle, tmp_path / "library")
    probes = read_bundle(bundle).probes
    assert probes is not None
    assert [task.name for task in probes.tasks] == ["vad", "level"]
    assert re.search(r"int32_t level; .*dBFS", (tmp_path / "library" / "dyncp_signals.h").read_text())
