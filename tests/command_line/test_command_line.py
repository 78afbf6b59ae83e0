# SPDX-License-Identifier: Apache-2.0
"""The command line's manners: a wrong input is one message and exit status 1; start-up loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import random_bundle

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import write_bundle


def dyncp(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from dyncp.cli import app; app()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write_bundle(random_bundle(NetworkConfig(channels=8, hidden=12, stacks=1, dilations=(1,), gate=3), 1), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("train", "papyrus", "--corpus", ".", "--out", "x"),
            "presets are day100, day70, delay16, delay32, delay4, delay8, ears, front, paper",
        ),
        (("train", "paper", "--corpus", "nowhere", "--out", "x"), "nowhere: no such folder"),
        (("generate", "nowhere", "x"), "manifest.json"),
        (("export", "nowhere", "x", "--corpus", "."), "checkpoint.json: cannot be read"),
        (("report", "nowhere", "x", "--out", "y"), "manifest.json"),
        (("enhance", "nowhere.wav", "x.wav", "--bundle", "b"), "nowhere.wav: cannot be read"),
    ],
)
def test_a_mistake_is_one_message(tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    result = dyncp(*arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("samples", "rate", "complaint"),
    [
        (np.zeros(100, np.float32), 8000, "not 16000 Hz mono; --resample would convert its 8000 Hz to 16000 Hz"),
        (np.zeros((100, 2), np.float32), 16000, "--mono would average its 2 channels"),
        (np.zeros(0, np.float32), 16000, "holds no samples"),
        (np.full(100, np.nan, np.float32), 16000, "not finite"),
    ],
)
def test_enhance_refuses_wrong_audio(
    tmp_path: Path, bundle: Path, samples: np.ndarray, rate: int, complaint: str
) -> None:
    soundfile.write(tmp_path / "in.wav", samples, rate, subtype="FLOAT")
    result = dyncp("enhance", tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", bundle)
    assert result.returncode == 1
    assert complaint in result.stderr
    assert not (tmp_path / "out.wav").exists()


def test_generate_refuses_a_hostile_prefix(tmp_path: Path, bundle: Path) -> None:
    result = dyncp("generate", bundle, tmp_path / "lib", "--prefix", "int; #error")
    assert result.returncode == 1
    assert "prefix" in result.stderr
    assert not (tmp_path / "lib").exists()


def test_start_up_loads_nothing_heavy() -> None:
    code = "import dyncp.cli, sys; print(*{'torch', 'numpy', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def without_extras(*arguments: object) -> subprocess.CompletedProcess[str]:
    """As `dyncp` where only the core is installed: importing what the extras bring fails."""
    code = "import sys; from dyncp import cli; sys.modules |= dict.fromkeys(cli.EXTRAS); cli.app()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_generating_and_enhancing_need_no_extra(tmp_path: Path, bundle: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(1000, np.int16), 16000)
    for arguments in (
        ("generate", bundle, tmp_path / "lib"),
        ("enhance", tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", bundle),
        ("validate", bundle, tmp_path / "in.wav", "--out", tmp_path / "proof", "--board", "cortex-m4"),
        ("report", bundle, tmp_path / "proof", "--out", tmp_path / "report"),
    ):
        result = without_extras(*arguments)
        assert result.returncode == 0, result.stderr


def test_a_missing_extra_is_named() -> None:
    result = without_extras("train", "paper", "--corpus", ".", "--out", "x")
    assert result.returncode == 1
    assert "torch, which is in the extra `train`: pip install 'dyncp[train]'" in result.stderr
