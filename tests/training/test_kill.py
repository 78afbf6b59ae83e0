# SPDX-License-Identifier: Apache-2.0
"""`dyncp train`, killed or interrupted, resumes with the last finished epoch, to the weights of an undisturbed run."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from sounds import small_corpus

from dyncp.train.network.checkpoint import load_checkpoint, read_manifest

CONFIG = """
[network]
channels = 8
hidden = 12
stacks = 1
dilations = [1, 2]
gate = 3
[mixing]
clip_s = 0.5
[training]
batch = 2
epochs = 3
steps_per_epoch = 40
"""
PATIENCE_S = 120


# As from a terminal, where the shell that starts it leaves SIGINT alone.
CODE = """
import signal, torch
signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)
from dyncp.cli import app
app()
"""


def dyncp(*arguments: object) -> subprocess.Popen[str]:
    """In a process group of its own, as a terminal gives it."""
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def train(folder: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    fixed = ("--corpus", folder / "corpus", "--out", out, "--workers", "1")
    return dyncp("train", folder / "small.toml", *fixed, *more)


def status(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How it ended, and what it told."""
    told = process.communicate(timeout=PATIENCE_S)[1]
    return process.returncode, told


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, a configuration, and a run that nothing disturbs."""
    folder = tmp_path_factory.mktemp("training")
    (folder / "small.toml").write_text(CONFIG)
    small_corpus(folder / "corpus")
    assert status(train(folder, folder / "whole"))[0] == 0
    return folder


def assert_as_undisturbed(out: Path) -> None:
    expected, actual = (load_checkpoint(folder).network.state_dict() for folder in (out.parent / "whole", out))
    assert read_manifest(out).epoch == 3
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def wait_for_first_epoch(out: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (out / "resume.safetensors").exists():
        assert time.monotonic() < deadline, "no epoch was finished"
        time.sleep(0.01)


@pytest.mark.slow
def test_sigkill_costs_no_finished_epoch(place: Path) -> None:
    killed = place / "killed"
    process = train(place, killed)
    wait_for_first_epoch(killed)
    process.send_signal(signal.SIGKILL)
    assert status(process)[0] == -signal.SIGKILL
    assert 1 <= read_manifest(killed).epoch < 3
    assert status(train(place, killed, "--resume"))[0] == 0
    assert_as_undisturbed(killed)


@pytest.mark.slow
def test_an_interrupt_ends_with_the_command_that_resumes(place: Path) -> None:
    out = place / "a folder"
    process = train(place, out, "--epochs", "3")
    wait_for_first_epoch(out)
    os.killpg(process.pid, signal.SIGINT)
    code, told = status(process)
    assert code == 130, told
    assert "Traceback" not in told
    assert "goes on after the last finished epoch" in told
    words = shlex.split(told.strip().splitlines()[-1])
    assert words[:2] == ["dyncp", "train"]
    assert words[-1] == "--resume"
    assert 1 <= read_manifest(out).epoch < 3
    code, told = status(dyncp(*words[1:]))
    assert code == 0, told
    assert_as_undisturbed(out)
