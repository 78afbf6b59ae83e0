# SPDX-License-Identifier: Apache-2.0
"""`dyncp front --delay`: networks of other frames side by side, by latency."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w
from command import run
from networks import trained_enough
from sounds import small_corpus

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.framing import Framing
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import ConfigError
from dyncp.evaluation.front.delay_points import NETWORKS, DelayCurve, pole_of
from dyncp.train.network.checkpoint import write_checkpoint

SHAPE = {"channels": 12, "hidden": 8, "stacks": 1, "dilations": (1, 2), "gate": 4, "gate_site": "hidden"}


def experiment(hop: int, fft: int, synthesis: int) -> Config:
    frames = {"hop": hop, "fft": fft, "analysis_window": fft, "synthesis_window": synthesis, "pooling_frames": 3}
    return Config(
        network=NetworkConfig.model_validate(SHAPE | frames),
        mixing=MixingConfig(clip_s=1.0),
        training=TrainingConfig(batch=2, epochs=1, steps_per_epoch=2),
    )


@pytest.mark.slow
def test_two_networks_by_their_latency(tmp_path: Path) -> None:
    corpus, out = small_corpus(tmp_path / "corpus", frames=600), tmp_path / "out"
    (tmp_path / "late.toml").write_text(tomli_w.dumps(experiment(256, 512, 512).model_dump(exclude_none=True)))
    soon = experiment(64, 256, 128)
    write_checkpoint(tmp_path / "soon", trained_enough(soon.network), soon, 1, [0.5, 0.5], 0.1)
    arguments = ["front", "--delay", "--minutes", 1, "--clips", 2, "--corpus", corpus, "--out", out, "--jobs", 1]
    arguments += ["--device", "cpu", "--json", "--network", tmp_path / "late.toml", "--network", tmp_path / "soon"]
    first = run(*arguments)
    assert "training late\n" in first.stderr
    curve = DelayCurve.model_validate_json(first.stdout)
    early, late = curve.runs
    assert (early.name, early.latency_ms, early.hop_ms) == ("soon", 8.0, 4.0)
    assert (late.name, late.latency_ms, late.hop_ms) == ("late", 32.0, 16.0)
    # Four times the frames, half the bins.
    assert 1.5 < early.mmacs_all_active / late.mmacs_all_active < 4
    assert early.mmacs_mean < early.mmacs_all_active
    assert late.int8_gain.pesq == pytest.approx(late.int8.pesq - curve.noisy.pesq, abs=0.01)
    assert early.voice_activity is not None
    assert early.voice_activity.auc is not None
    assert 0.3 < early.voice_activity.auc <= 1
    assert (out / "front-delay.md").read_text().count("\n| ") == 5
    assert (out / "front-delay.png").stat().st_size > 5000
    again = run(*arguments)
    assert "training" not in again.stderr
    assert again.stdout == first.stdout


def test_the_presets_cost_as_much_a_second() -> None:
    networks = [load_config(name).network for name in NETWORKS]
    costs = [net.macs_with(net.blocks * net.gated) * net.framing.frames_per_second for net in networks]
    assert max(costs) < 1.04 * min(costs)
    assert [net.framing.latency_ms for net in networks] == [4.0, 8.0, 16.0, 32.0]
    # What frames count is as long for each: decisions, and within a quarter of a second what they hear.
    assert len({net.gate_period * net.hop for net in networks}) == 1
    assert max(n.receptive_field * n.hop for n in networks) - min(n.receptive_field * n.hop for n in networks) < 4000


def test_smoothing_lasts_as_long_at_every_hop() -> None:
    assert [pole_of(Framing(hop, 512, 512, 2 * hop)) for hop in (32, 64, 128, 256)] == [4, 3, 2, 1]


def test_a_network_without_gates_is_refused(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", frames=600)
    with pytest.raises(ConfigError, match="has no gates"):
        run("front", "--delay", "--corpus", corpus, "--out", tmp_path / "out", "--network", "small:static8")


def test_one_figure_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give one"):
        run("front", "--day", "--delay", "--corpus", tmp_path, "--out", tmp_path / "out")
