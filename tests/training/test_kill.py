# SPDX-License-Identifier: Apache-2.0
"""`dyncp train` killed without warning resumes with the last finished epoch, to the weights of an undisturbed run."""

from __future__ import annotations

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


def train(folder: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["train", folder / "small.toml", "--corpus", folder / "corpus", "--out", out, "--workers", "1", *more]
    code = "import torch; torch.set_num_threads(1); from dyncp.cli import app; app()"
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stderr=subprocess.DEVNULL)


def wait_for_first_epoch(out: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (out / "resume.safetensors").exists():
        assert time.monotonic() < deadline, "no epoch was finished"
        time.sleep(0.01)


@pytest.mark.slow
def test_sigkill_costs_no_finished_epoch(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(CONFIG)
    small_corpus(tmp_path / "corpus")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert train(tmp_path, whole).wait(PATIENCE_S) == 0
    process = train(tmp_path, killed)
    wait_for_first_epoch(killed)
    process.send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    assert 1 <= read_manifest(killed).epoch < 3
    assert train(tmp_path, killed, "--resume").wait(PATIENCE_S) == 0
    expected, actual = (load_checkpoint(folder).network.state_dict() for folder in (whole, killed))
    assert read_manifest(killed).epoch == 3
    assert all(torch.equal(expected[name], actual[name]) for name in expected)
