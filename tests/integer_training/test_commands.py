# SPDX-License-Identifier: Apache-2.0
"""`dyncp train --integers`, and `dyncp export` of what it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from networks import SHAPES, trained_enough
from sounds import small_corpus

from dyncp.base.config.experiment import Config
from dyncp.train.network.checkpoint import write_checkpoint

pytestmark = pytest.mark.slow

CONFIG = """
[network]
channels = 16
hidden = 40
gate = 6
stacks = 1
dilations = [1, 2]
pooling_frames = 20
[mixing]
clip_s = 0.5
[training]
batch = 1
epochs = 1
steps_per_epoch = 1
"""


def dyncp(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dyncp", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_integers_need_a_network_to_start_from(tmp_path: Path) -> None:
    result = dyncp("train", "paper", "--corpus", tmp_path, "--out", tmp_path / "x", "--integers")
    assert result.returncode == 1
    assert result.stderr.startswith("error: --integers: ")
    assert "--start" in result.stderr
    assert not (tmp_path / "x").exists()


def test_integers_are_not_compiled(tmp_path: Path) -> None:
    more = ("--integers", "--compile", "--start", "paper")
    result = dyncp("train", "paper", "--corpus", tmp_path, "--out", tmp_path / "x", *more)
    assert result.returncode == 1
    assert "leave out --compile" in result.stderr


def test_export_takes_the_scales_that_training_leaves(tmp_path: Path) -> None:
    corpus, config = small_corpus(tmp_path / "corpus", speakers=1, frames=100), tmp_path / "config.toml"
    config.write_text(CONFIG)
    write_checkpoint(tmp_path / "start", trained_enough(SHAPES[0]), Config(network=SHAPES[0]), 1, [1.0, 1.0], 0.0)
    common = ("--corpus", corpus, "--device", "cpu", "--workers", 0)
    trained = dyncp("train", config, *common, "--out", tmp_path / "run", "--integers", "--start", tmp_path / "start")
    assert trained.returncode == 0, trained.stderr
    scales = json.loads((tmp_path / "run" / "scales.json").read_text())
    found = {}
    for name, more in (("taken", ()), ("calibrated", ("--calibrate",))):
        result = dyncp("export", tmp_path / "run", tmp_path / name, "--corpus", corpus, "--clips", 0, *more)
        assert result.returncode == 0, result.stderr
        manifest = json.loads((tmp_path / name / "manifest.json").read_text())
        found[name] = {scale: manifest["scales"][scale] for scale in scales}
        assert ("calibration" in manifest["sources"]) == (name == "calibrated")
    assert found["taken"] == scales
    assert found["calibrated"] != scales
