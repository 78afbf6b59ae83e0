# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance` for people: folders keep names and inputs, raw PCM flows through pipes, what was done is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import Result
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.audio import pad_to_hop, read_pcm, write_pcm
from dyncp.base.config.framing import HOP
from dyncp.base.errors import AudioError, OutputError
from dyncp.cli import commands
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference

LENGTH = 20 * HOP + 17


def enhance(*arguments: object, raw: bytes | None = None) -> Result:
    return CliRunner().invoke(commands, ["enhance", *map(str, arguments)], input=raw)


def sound(seed: int, length: int = LENGTH) -> np.ndarray:
    return speech_like(40, seed=seed)[:length]


def aligned(bundle: Bundle, pcm: np.ndarray) -> np.ndarray:
    return reference.run(bundle, pad_to_hop(pcm, extra_hops=1)).output[HOP : HOP + len(pcm)]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    write_pcm(folder / "a.wav", sound(1))
    write_pcm(folder / "deep" / "b.FLAC", sound(2, 5 * HOP))
    soundfile.write(folder / "c.ogg", sound(3), 16000)
    (folder / "notes.txt").write_text("no sound")
    return folder


@pytest.mark.slow
def test_a_folder_keeps_names_and_tells_the_whole(
    tmp_path: Path, network: Path, bundle: Bundle, recordings: Path
) -> None:
    result = enhance(network, recordings, tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    made = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert made == {"a.wav", "a.csv", "c.flac", "c.csv", "deep/b.FLAC", "deep/b.csv"}
    assert np.array_equal(read_pcm(tmp_path / "out" / "a.wav"), aligned(bundle, sound(1)))
    assert np.array_equal(read_pcm(tmp_path / "out" / "deep" / "b.FLAC"), aligned(bundle, sound(2, 5 * HOP)))
    assert "3 files" in result.stderr
    told = json.loads(result.stdout)
    assert told["failed"] == {}
    assert [Path(one["source"]).name for one in told["files"]] == ["a.wav", "c.ogg", "b.FLAC"]
    expected = reference.run(bundle, pad_to_hop(sound(1)))
    assert told["files"][0]["macs"] == expected.macs.sum()
    assert told["files"][0]["frames"] == expected.frames
    assert told["files"][0]["seconds"] == LENGTH / 16000


@pytest.mark.slow
def test_what_cannot_be_enhanced_is_left_out_and_told(tmp_path: Path, network: Path, recordings: Path) -> None:
    (recordings / "broken.wav").write_text("no sound")
    soundfile.write(recordings / "fast.wav", np.zeros(4800, np.int16), 48000)
    result = enhance(network, recordings, tmp_path / "out", "--json")
    assert result.exit_code == 1
    failed = json.loads(result.stdout)["failed"]
    assert {Path(path).name for path in failed} == {"broken.wav", "fast.wav"}
    assert "--resample would convert its 48000 Hz" in failed[str(recordings / "fast.wav")]
    assert not (tmp_path / "out" / "broken.wav").exists()
    assert (tmp_path / "out" / "a.wav").is_file()


@pytest.mark.parametrize(
    ("out", "complaint"),
    [
        ("in", "lies in IN"),
        ("in/deep", "lies in IN"),
        ("linked", "is .*a.wav; choose another folder"),
        ("file", "file is a file"),
        ("taken", "is a folder"),
        ("labelled", "no CSV of signals"),
    ],
)
def test_no_input_and_nothing_of_the_users_is_written_over(
    tmp_path: Path, network: Path, recordings: Path, out: str, complaint: str
) -> None:
    for name in ("linked", "labelled"):
        (tmp_path / name).mkdir()
    os.link(recordings / "a.wav", tmp_path / "linked" / "c.flac")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "taken" / "a.wav").mkdir(parents=True)
    (tmp_path / "labelled" / "a.csv").write_text("my,labels\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = enhance(network, recordings, tmp_path / out)
    assert isinstance(result.exception, OutputError)
    assert re.search(complaint, str(result.exception)), result.exception
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_two_inputs_of_one_output_are_refused(tmp_path: Path, network: Path, recordings: Path) -> None:
    write_pcm(recordings / "a.flac", sound(4))
    result = enhance(network, recordings, tmp_path / "out")
    assert isinstance(result.exception, OutputError)
    assert "rename one" in str(result.exception)
    (tmp_path / "empty").mkdir()
    result = enhance(network, tmp_path / "empty", tmp_path / "out")
    assert isinstance(result.exception, AudioError)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("length", [0, 1, HOP, 2 * HOP + 3, LENGTH])
def test_raw_audio_flows_through_a_pipe(network: Path, bundle: Bundle, length: int) -> None:
    pcm = sound(5, length)
    result = enhance(network, "-", "-", raw=pcm.tobytes())
    assert result.exit_code == 0, result.output
    assert np.array_equal(np.frombuffer(result.stdout_bytes, "<i2"), aligned(bundle, pcm))
    assert "standard input → standard output" in result.stderr
    assert "signals in" not in result.stderr


@pytest.mark.slow
def test_a_pipe_is_enhanced_while_it_flows(network: Path, bundle: Bundle) -> None:
    """What is known of the output is out before more of the input comes."""
    pcm = sound(6, 8 * HOP)
    command = [sys.executable, "-m", "dyncp", "--quiet", "enhance", network, "-", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for hop in range(8):
            process.stdin.write(pcm[hop * HOP : (hop + 1) * HOP].tobytes())
            process.stdin.flush()
            if hop:
                block = process.stdout.read(2 * HOP)
                assert np.array_equal(np.frombuffer(block, "<i2"), aligned(bundle, pcm)[(hop - 1) * HOP : hop * HOP])
        process.stdin.close()
        assert len(process.stdout.read()) == 2 * HOP
        assert process.wait(60) == 0


@pytest.mark.slow
def test_half_a_sample_is_told(network: Path, bundle: Bundle, tmp_path: Path) -> None:
    pcm = sound(7)
    result = enhance(network, "-", tmp_path / "out.wav", "--signals", tmp_path / "s.csv", raw=pcm.tobytes() + b"\1")
    assert result.exit_code == 0, result.output
    assert "middle of a sample" in result.stderr
    assert np.array_equal(read_pcm(tmp_path / "out.wav"), aligned(bundle, pcm))
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 1 + -(-len(pcm) // HOP)


@pytest.mark.slow
def test_a_file_goes_to_standard_output(network: Path, bundle: Bundle, tmp_path: Path) -> None:
    write_pcm(tmp_path / "in.wav", sound(8))
    result = enhance(tmp_path / "in.wav", "-", "--bundle", network)
    assert np.array_equal(np.frombuffer(result.stdout_bytes, "<i2"), aligned(bundle, sound(8)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav"]


@pytest.mark.slow
def test_the_line_says_what_was_done(network: Path, bundle: Bundle, tmp_path: Path) -> None:
    write_pcm(tmp_path / "in.wav", sound(9))
    line = " ".join(enhance(network, tmp_path / "in.wav", tmp_path / "out.wav").stderr.split())
    run = reference.run(bundle, pad_to_hop(sound(9)))
    assert line.startswith(f"{tmp_path / 'in.wav'} → {tmp_path / 'out.wav'}: {LENGTH / 16000:.1f} s in ")
    assert f"{run.macs.mean():,.0f} MACs per frame" in line
    assert line.endswith(f"signals in {tmp_path / 'out.csv'}")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("in.wav", "out.wav"), "2 arguments, expected NETWORK IN OUT"),
        (("small", "in.wav", "out.wav", "--bundle", "small"), "3 arguments, expected IN OUT beside --bundle"),
        (("small", ".", "out", "--plot", "x.png"), "without --signals and --plot"),
        (("small", ".", "-"), "a folder goes into a folder"),
        (("small", "-", "-", "--json"), "--json needs standard output"),
    ],
)
def test_arguments_that_contradict_are_told(arguments: tuple[str, ...], complaint: str) -> None:
    result = enhance(*arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
