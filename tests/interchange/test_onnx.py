# SPDX-License-Identifier: Apache-2.0
"""ONNX of the whole network and of one step of a stream: both compute what torch computes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from networks import FOLLOWING, SHAPES, STATIC, TAPPED, features_of, trained_enough
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.audio import to_pcm, write_pcm
from dyncp.base.config.experiment import Config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import InterchangeError
from dyncp.cli import commands
from dyncp.export.interchange.onnx_graph import offline_model, state_shapes, step_model
from dyncp.export.interchange.onnx_run import agreement, run_offline, run_steps, steps
from dyncp.export.quantization.fold import fold_network
from dyncp.train.corpora.demo_corpus import SOUNDS, decode_g722
from dyncp.train.network.checkpoint import write_checkpoint
from dyncp.train.network.enhancer import Enhancer

ONE_FRAME = NetworkConfig(channels=16, hidden=40, gate=6, stacks=1, dilations=(1, 2), pooling_frames=1)


# A cap is refused.
FREE = [config.model_copy(update={"block_cap": None}) for config in FOLLOWING]


def name_of(config: NetworkConfig) -> str:
    name = f"{config.gate_site}-{config.pooling}-{config.spectrum}-{config.kernel}"
    return name if config.decides_every_block_and_frame else f"{name}-{config.gate_shared}-{config.gate_period}"


@pytest.mark.parametrize("config", [*SHAPES, *FREE, *TAPPED, STATIC], ids=name_of)
def test_offline_and_step_equal_torch(config: NetworkConfig) -> None:
    network = trained_enough(config)
    folded = fold_network(network, "0" * 64)
    found = agreement(network, offline_model(folded), step_model(folded), features_of(300, config))
    assert found.frames == 300
    assert found.mask_bits == 300 * config.blocks * config.gated
    assert max(found.offline_difference, found.step_difference) < 1e-4
    assert found.offline_bits == found.step_bits == 0


def test_gates_without_a_past() -> None:
    torch.manual_seed(0)
    network = Enhancer(ONE_FRAME).eval()
    folded = fold_network(network, "0" * 64)
    step = step_model(folded)
    found = agreement(network, offline_model(folded), step, features_of(50, ONE_FRAME))
    assert found.offline_bits == found.step_bits == 0
    assert max(found.offline_difference, found.step_difference) < 1e-4
    assert not any(value.name.endswith(".pool") for value in step.graph.input)


def test_agreement_sees_another_network() -> None:
    one, other = (trained_enough(SHAPES[0], seed) for seed in (0, 1))
    folded = fold_network(other, "0" * 64)
    found = agreement(one, offline_model(folded), step_model(folded), features_of(50, SHAPES[0]))
    assert min(found.offline_difference, found.step_difference) > 1e-3
    assert min(found.offline_bits, found.step_bits) > 0


def test_a_stream_needs_its_state() -> None:
    """Step outputs differ from a network that forgets: the states are inputs that matter."""
    network = trained_enough(SHAPES[0])
    folded = fold_network(network, "0" * 64)
    features = features_of(40, SHAPES[0])
    streamed = run_steps(step_model(folded), features, folded.config).suppression
    alone = np.concatenate([run_offline(offline_model(folded), f[None], folded.config).suppression for f in features])
    np.testing.assert_allclose(streamed[0], alone[0], atol=1e-5)
    assert np.abs(streamed[1:] - alone[1:]).max() > 1e-3


@pytest.mark.parametrize("config", FREE, ids=name_of)
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_recordings_shorter_than_a_turn(config: NetworkConfig, frames: int) -> None:
    network = trained_enough(config)
    folded = fold_network(network, "0" * 64)
    found = agreement(network, offline_model(folded), step_model(folded), features_of(frames, config))
    assert found.offline_bits == found.step_bits == 0
    assert max(found.offline_difference, found.step_difference) < 1e-4


@pytest.mark.parametrize("config", [*SHAPES, *FREE, *TAPPED], ids=name_of)
def test_names_and_shapes(config: NetworkConfig) -> None:
    folded = fold_network(trained_enough(config), "ab" * 32)
    step, offline = step_model(folded), offline_model(folded)
    shapes = state_shapes(config)
    assert {value.name for value in step.graph.input} == {"features", *shapes}
    assert {value.name for value in step.graph.output} == {"suppression", "masks", *(f"{n}.next" for n in shapes)}
    given, made = next(steps(step, features_of(1, config), config))
    for name, shape in shapes.items():
        assert given[name].shape == made[f"{name}.next"].shape == shape
    frames = offline.graph.input[0].type.tensor_type.shape.dim[3]
    assert frames.dim_param == "frames"
    about = {entry.key: entry.value for entry in offline.metadata_props}
    assert about["checkpoint_sha256"] == "ab" * 32
    assert NetworkConfig.model_validate_json(about["network"]) == config


def test_the_same_network_gives_the_same_bytes() -> None:
    for build in (offline_model, step_model):
        first, second = (build(fold_network(trained_enough(SHAPES[1]), "0" * 64)) for _ in range(2))
        assert first.SerializeToString() == second.SerializeToString()


@pytest.mark.slow
def test_command_on_real_speech(tmp_path: Path) -> None:
    voice = next((SOUNDS / "it_IT_m_Carlo").rglob("vm-intro.g722"))
    audio, out = tmp_path / "voice.wav", tmp_path / "onnx"
    write_pcm(audio, to_pcm(decode_g722(voice)))
    result = CliRunner().invoke(commands, ["interchange", "signals", str(out), "--audio", str(audio), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["frames"] > 100
    assert found["offline_difference"] < 1e-4
    assert found["step_difference"] < 1e-4
    assert max(found["offline_bits"], found["step_bits"]) <= 1e-4 * found["mask_bits"]
    assert sorted(path.name for path in out.iterdir()) == ["offline.onnx", "step.onnx"]
    for name in ("offline.onnx", "step.onnx"):
        onnx.checker.check_model(str(out / name), full_check=True)


def test_a_cap_is_refused() -> None:
    folded = fold_network(trained_enough(SHAPES[0].model_copy(update={"block_cap": 3})), "0" * 64)
    for build in (offline_model, step_model):
        with pytest.raises(InterchangeError, match=r"block_cap, frame_cap: .* remove both from config\.toml"):
            build(folded)


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    network = trained_enough(SHAPES[0])
    write_checkpoint(tmp_path / "c", network, Config(network=SHAPES[0]), 0, [0.5, 0.5], 0.0)
    write_pcm(tmp_path / "a.wav", speech_like(30, seed=1))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    arguments = ["interchange", str(tmp_path / "c"), str(tmp_path / "out"), "--audio", str(tmp_path / "a.wav")]
    result = CliRunner().invoke(commands, arguments)
    assert "thesis.tex" in str(result.exception)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]
