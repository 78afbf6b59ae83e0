# SPDX-License-Identifier: Apache-2.0
"""`dyncp front --day`: any networks on one day, static ones as the front, trained where they are not yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tomli_w
from bundles import random_bundle
from command import run
from networks import FOLLOWING, SHAPES, STATIC, trained_enough
from signals import speech_like
from sounds import small_corpus

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import ConfigError
from dyncp.base.quality import Score
from dyncp.evaluation.front.day_points import DayFront, parse_entries, static_output
from dyncp.evaluation.front.points import front_points
from dyncp.export.integers import reference
from dyncp.train.network.checkpoint import write_checkpoint

PARENT = NetworkConfig(channels=12, hidden=24, stacks=1, dilations=(1, 2), gate=4, pooling_frames=5)
SHARED = Config(
    network=PARENT.model_copy(update={"gate_site": "hidden", "gate_period": 2, "hidden": 8}),
    mixing=MixingConfig(clip_s=1.0),
    training=TrainingConfig(batch=2, epochs=1, steps_per_epoch=2),
)


@pytest.mark.slow
def test_networks_trained_and_to_be_trained_on_one_day(tmp_path: Path) -> None:
    corpus, out = small_corpus(tmp_path / "corpus", frames=600), tmp_path / "out"
    (tmp_path / "held.toml").write_text(tomli_w.dumps(SHARED.model_dump(exclude_none=True)))
    write_checkpoint(tmp_path / "parent", trained_enough(PARENT), Config(network=PARENT), 1, [0.5, 0.5], 0.1)
    entries = (tmp_path / "held.toml", f"{tmp_path / 'held.toml'}:static4", f"{tmp_path / 'held.toml'}:static20")
    arguments = ["front", "--day", "--minutes", 1, "--corpus", corpus, "--start", tmp_path / "parent", "--out", out]
    arguments += ["--jobs", 1, "--device", "cpu", "--json"]
    networks = [option for entry in (*entries, tmp_path / "parent") for option in ("--network", entry)]
    first = run(*arguments, *networks)
    found = DayFront.model_validate_json(first.stdout)
    assert "training held, held-static4, held-static20" in first.stderr
    assert [(r.name, r.site, r.hidden) for r in found.runs] == [
        ("parent", "output", 24),
        ("held", "hidden", 8),
        ("held-static4", "none", 4),
        ("held-static20", "none", 20),
    ]
    by_name = {r.name: r for r in found.runs}
    static = by_name["held-static4"]
    assert static.macs_mean == static.macs_speech == static.macs_rest == static.macs_all_active
    held = by_name["held"]
    assert held.macs_mean < held.macs_all_active
    assert held.int8_gain == held.int8 - held.noisy
    assert [point.macs_mean for point in found.points] == sorted(r.macs_mean for r in found.runs)
    assert (out / "front-day.md").read_text().count("\n| ") == 7
    assert (out / "front-day.png").stat().st_size > 5000
    # What is measured stays: the same figures, no training.
    again = run(*arguments, *networks)
    assert "training" not in again.stderr
    assert DayFront.model_validate_json(again.stdout) == found


def test_entries_are_checkpoints_presets_files_and_static_variants(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "mine", trained_enough(SHAPES[0]), Config(network=SHAPES[0]), 1, [0.5, 0.5], 0.1)
    mine, small, static = parse_entries([str(tmp_path / "mine"), "small", "small:static12"])
    assert (mine.name, mine.folder, mine.config) == ("mine", tmp_path / "mine", None)
    assert (small.name, small.folder) == ("small", None)
    assert small.experiment(3).training.seed == 3
    assert small.experiment(3).network == load_config("small").network
    assert small.trained_in(tmp_path, 2) == tmp_path / "small-seed2"
    assert static.name == "small-static12"
    network = static.experiment(1).network
    assert (network.gate_site, network.hidden, network.gated) == ("none", 12, 0)
    assert network.bands == load_config("small").network.bands


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["no-such"], "neither a TOML file nor a preset"),
        (["small:dense"], "behind the colon stands staticH"),
        (["small:static1"], "greater than or equal to 4"),
        (["tiny", "tiny"], "--network tiny: twice"),
    ],
)
def test_entries_that_are_none_are_refused(entries: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_entries(entries)


@pytest.mark.parametrize("options", [("--day",), ("--network", "tiny")])
def test_the_day_and_its_networks_come_together(tmp_path: Path, options: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="give both"):
        run("front", "--corpus", tmp_path, "--out", tmp_path / "out", *options)


@pytest.mark.parametrize("bands", [None, FOLLOWING[0].bands])
def test_a_static_network_is_the_same_in_parts(bands: tuple[int, ...] | None) -> None:
    bundle = random_bundle(STATIC.model_copy(update={"bands": bands}), seed=1, probes=None)
    pcm = speech_like(90)
    np.testing.assert_array_equal(static_output(bundle, pcm, at_once=25), reference.run(bundle, pcm).output)


def test_a_dynamic_network_is_held_to_the_static_ones_of_the_day() -> None:
    class Run:
        def __init__(self, name: str, site: str, macs: float, pesq: float) -> None:
            self.name, self.site, self.macs_mean = name, site, macs
            self.int8_gain = Score(pesq=pesq, stoi=0.0, estoi=0.0, si_sdr=0.0)

    runs = [Run("a", "none", 10, 0.1), Run("b", "none", 20, 0.3), Run("c", "hidden", 15, 0.25)]
    point = next(point for point in front_points(runs) if point.name == "c")  # type: ignore[arg-type]
    assert point.above_front is not None
    assert point.above_front.pesq == pytest.approx(0.05)
