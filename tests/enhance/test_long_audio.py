# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance` goes through a file block by block: the same words as in one piece, in memory that does not grow."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from libraries import written_bundle
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.audio import pad_to_hop, read_pcm, write_pcm
from dyncp.base.config.framing import HOP
from dyncp.cli import commands
from dyncp.commands.firmware.enhancing import one
from dyncp.export.integers import reference
from dyncp.export.integers.signals import read_out, rows

CSV_COLUMNS = slice(1, -2)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(commands, ["enhance", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, HOP - 1, HOP, 3 * HOP, 3 * HOP + 1, 4 * HOP, 31 * HOP + 17])
@pytest.mark.parametrize("keep_delay", [False, True])
def test_blocks_leave_every_word_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int, keep_delay: bool
) -> None:
    monkeypatch.setattr(one, "BLOCK_FRAMES", 3)
    bundle = written_bundle(tmp_path / "bundle")
    pcm = speech_like(40)[:length]
    write_pcm(tmp_path / "in.wav", pcm)
    files = (tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", tmp_path / "bundle")
    run(*files, *(["--keep-delay"] if keep_delay else []))
    expected = reference.run(bundle, pad_to_hop(pcm, extra_hops=1))
    start = 0 if keep_delay else HOP
    assert np.array_equal(read_pcm(tmp_path / "out.wav"), expected.output[start : start + length])
    with (tmp_path / "out.csv").open(newline="") as file:
        _, *told = csv.reader(file)
    frames = expected.frames - 1
    assert [row[CSV_COLUMNS] for row in told] == list(rows(read_out(bundle, expected.signals), frames))
    assert [int(row[-1]) for row in told] == expected.macs[:frames].tolist()
    assert [row[0] for row in told] == [f"{frame * 0.016:.3f}" for frame in range(frames)]


@pytest.mark.slow
def test_another_rate_and_channels_are_converted_when_asked_and_told(tmp_path: Path) -> None:
    written_bundle(tmp_path / "bundle")
    signal = speech_like(60).astype(np.float64) / 32768
    soundfile.write(tmp_path / "in.flac", np.stack([signal, signal], axis=1), 48000, subtype="PCM_24")
    files = (tmp_path / "in.flac", tmp_path / "out.wav", "--bundle", tmp_path / "bundle")
    said = run(*files, "--resample", "--mono", "--plot", tmp_path / "plot.svg")
    assert "in.flac: 2 channels averaged, 48000 Hz resampled to 16000 Hz" in said
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels, info.frames) == (16000, 1, len(signal) // 3)


# The peak of this program alone: getrusage tells that of the test, before it became this program, too.
PEAK = """
import sys
from typer.testing import CliRunner
from dyncp.cli import commands
result = CliRunner().invoke(commands, ["enhance", *sys.argv[1:]], catch_exceptions=False)
assert result.exit_code == 0
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
def test_ten_times_the_audio_takes_the_same_memory(tmp_path: Path) -> None:
    """One to ten minutes: 9 minutes more are 17 MB of PCM alone, and were 200 MB in all."""
    written_bundle(tmp_path / "bundle")
    minute = np.random.default_rng(0).integers(-3000, 3000, 60 * 16000).astype(np.int16)
    peaks = []
    for minutes in (1, 10):
        write_pcm(tmp_path / "in.wav", np.tile(minute, minutes))
        files = [tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", tmp_path / "bundle"]
        command = [sys.executable, "-c", PEAK, *map(str, files)]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]))
    assert peaks[1] - peaks[0] < 8 * 1024
