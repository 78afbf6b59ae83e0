# SPDX-License-Identifier: Apache-2.0
"""Two processes under torchrun train as one process with the whole batch does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sounds import small_corpus

from dyncp.train import processes
from dyncp.train.network.checkpoint import load_checkpoint, read_manifest
from dyncp.train.network.resume_file import read_resume

CURVE = str(Path(__file__).parent / "curve.py")
# Joint training, hidden gates, clips with and without speech: every mean over the batch differs from clip to clip.
CONFIG = """
[network]
channels = 12
hidden = 16
stacks = 1
dilations = [1, 2]
gate = 4
gate_site = "hidden"
pooling_frames = 5
[mixing]
clip_s = 0.5
noise_only = 0.4
[training]
batch = 4
epochs = 2
steps_per_epoch = 10
target_utilization = 0.5
auxiliary_weight = 0.5
"""
PATIENCE_S = 300


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("distributed") / "corpus")


def run(processes: int, *command: object) -> subprocess.CompletedProcess[str]:
    """Python on `command`, by itself or in as many processes of torchrun."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return subprocess.run(
        [sys.executable, *(launcher if processes > 1 else ()), *map(str, command)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def trained(processes: int, folder: Path, corpus: Path, text: str, *more: str) -> tuple[torch.Tensor, Path]:
    """Loss and utilization of every step [steps, 2], and the checkpoint folder."""
    folder.mkdir()
    config = folder / "small.toml"
    config.write_text(text)
    result = run(processes, CURVE, config, corpus, folder / "run", *more)
    assert result.returncode == 0, result.stderr
    return torch.tensor(json.loads((folder / "run" / "curve.json").read_text())), folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {'"hidden"': '"output"', "auxiliary_weight = 0.5": "perceptual_weight = 0.1"},
    ],
    ids=["hidden gates, joint", "output gates, perceptual"],
)
def test_two_processes_train_as_one_with_the_whole_batch(tmp_path: Path, corpus: Path, changes: dict[str, str]) -> None:
    text = CONFIG
    for old, new in changes.items():
        text = text.replace(old, new)
    alone, one = trained(1, tmp_path / "one", corpus, text)
    shared, two = trained(2, tmp_path / "two", corpus, text)
    assert len(alone) == 20
    torch.testing.assert_close(shared, alone, rtol=1e-4, atol=1e-5)
    expected, actual = (load_checkpoint(folder).network.state_dict() for folder in (one, two))
    # AdamW divides by the gradient's size: where that is next to nothing, rounding moves a weight by up to one step.
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1.5e-3)
    assert read_manifest(two).validation_loss == pytest.approx(read_manifest(one).validation_loss, rel=1e-4)


@pytest.mark.slow
def test_two_processes_train_compiled_and_in_bfloat16(tmp_path: Path, corpus: Path) -> None:
    text = CONFIG.replace("auxiliary_weight = 0.5", 'precision = "bfloat16"').replace("epochs = 2", "epochs = 1")
    alone, _ = trained(1, tmp_path / "one", corpus, text)
    shared, two = trained(2, tmp_path / "two", corpus, text, "--compile")
    torch.testing.assert_close(shared, alone, rtol=0.03, atol=0.01)
    assert all(tensor.isfinite().all() for tensor in load_checkpoint(two).network.state_dict().values())


@pytest.mark.slow
def test_the_command_resumes_under_torchrun_and_one_process_writes(tmp_path: Path, corpus: Path) -> None:
    text = CONFIG.replace("auxiliary_weight = 0.5", "")
    config = tmp_path / "small.toml"
    config.write_text(text)
    arguments = ("-m", "dyncp", "train")
    options = ("--corpus", corpus, "--device", "cpu", "--workers", 0, "--json")
    whole = run(2, *arguments, config, "--out", tmp_path / "whole", *options)
    assert whole.returncode == 0, whole.stderr
    assert json.loads(whole.stdout)["epoch"] == 2
    assert whole.stderr.count("validation loss") == 2
    assert len(list((tmp_path / "whole" / "tensorboard").iterdir())) == 1
    again = run(2, *arguments, config, "--out", tmp_path / "whole", *options, "--resume")
    assert again.returncode == 0, again.stderr
    assert "resuming after epoch 2" in again.stderr


@pytest.mark.slow
def test_a_divergence_in_one_share_stops_all_and_costs_no_epoch(tmp_path: Path, corpus: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text(CONFIG)
    result = run(2, CURVE, config, corpus, tmp_path / "run", "--diverge", 1)
    assert result.returncode != 0
    assert "DivergenceError: epoch 2, step 3 of 10: the loss is nan" in result.stderr, result.stderr
    assert read_manifest(tmp_path / "run").epoch == read_resume(tmp_path / "run").epoch == 1
    load_checkpoint(tmp_path / "run")


@pytest.mark.slow
def test_a_trainer_that_outlives_its_processes_is_told_before_they_wait_for_ever(tmp_path: Path, corpus: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text(CONFIG)
    result = run(2, CURVE, config, corpus, tmp_path / "run", "--keep")
    assert result.returncode != 0
    assert "RuntimeError: a trainer outlives the processes that it is shared by" in result.stderr, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_failing_process_fails_the_run(tmp_path: Path, corpus: Path, rank: int) -> None:
    config = tmp_path / "small.toml"
    config.write_text(CONFIG)
    result = run(2, CURVE, config, corpus, tmp_path / "run", "--fail", rank)
    assert result.returncode != 0
    assert "this process was told to fail" in result.stderr
    assert not (tmp_path / "run" / "curve.json").exists()


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path, corpus: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text(CONFIG.replace("batch = 4", "batch = 3"))
    result = run(2, "-m", "dyncp", "train", config, "--corpus", corpus, "--out", tmp_path / "run", "--device", "cpu")
    assert result.returncode != 0
    assert "training.batch: 3 clips cannot be shared equally by 2 processes" in result.stderr


def test_one_process_alone_takes_the_whole_batch_and_keeps_torchs_norm() -> None:
    from dyncp.base.config.network import NetworkConfig
    from dyncp.train.network.enhancer import Enhancer

    network = Enhancer(NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1,), gate=2))
    processes.share_norms(network)
    assert not any(isinstance(module, processes.SharedNorm) for module in network.modules())
    assert processes.share(5) == range(5)


def test_the_shared_norm_is_torchs_where_all_clips_are_here() -> None:
    torch.manual_seed(0)
    expected, shared = torch.nn.BatchNorm1d(6), processes.SharedNorm(6)
    torch.nn.init.normal_(expected.weight)
    shared.load_state_dict(expected.state_dict())
    inputs = [torch.randn(4, 6, 30).add_(3.0).requires_grad_() for _ in range(2)]
    for _ in range(3):
        torch.testing.assert_close(shared(inputs[0]), expected(inputs[0]))
    for norm, x in ((expected, inputs[0]), (shared, inputs[1])):
        with torch.no_grad():
            x.copy_(torch.linspace(-1, 2, x.numel()).reshape(x.shape).sin())
        norm(x).pow(3).sum().backward()
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(shared.weight.grad, expected.weight.grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(shared.state_dict(), expected.state_dict())
    torch.testing.assert_close(shared.eval()(inputs[0]), expected.eval()(inputs[0]))
