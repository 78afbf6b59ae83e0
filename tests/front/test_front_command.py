# SPDX-License-Identifier: Apache-2.0
"""`dyncp front` on a small corpus: trains what is missing, takes up what was interrupted, scores all that has ended."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w
from click.testing import Result
from sounds import small_corpus
from typer.testing import CliRunner

from dyncp.base.config.experiment import Config, load_config
from dyncp.base.config.mixing import MixingConfig
from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.training import TrainingConfig
from dyncp.base.errors import CheckpointError, ConfigError
from dyncp.cli import commands
from dyncp.evaluation.front.candidates import CANDIDATES, Protocol, is_finished, parse_candidates
from dyncp.evaluation.front.points import Front
from dyncp.train.corpora.corpus import load_corpus
from dyncp.train.fitting.trainer import Trainer
from dyncp.train.mixing.mixers import load_mixers
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.enhancer import Enhancer

PARENT = NetworkConfig(channels=12, hidden=96, stacks=1, dilations=(1, 2), gate=4, pooling_frames=5)
SHARED = Config(
    network=PARENT.model_copy(update={"gate_site": "none"}),
    mixing=MixingConfig(clip_s=1.0),
    training=TrainingConfig(batch=2, utilization_ramp=0.0),
)


class Experiment:
    """Folder with corpus/, parent/ (a network with gates to start from) and shared.toml."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.corpus = small_corpus(folder / "corpus")
        (folder / "shared.toml").write_text(tomli_w.dumps(SHARED.model_dump(exclude_none=True)))
        write_checkpoint(folder / "parent", Enhancer(PARENT), Config(network=PARENT), 1, [1.0, 1.0], 0.1)
        self.protocol = Protocol.make(2, self.out, folder / "shared.toml")

    def front(self, *options: object) -> Result:
        fixed = ("--corpus", self.corpus, "--start", self.folder / "parent", "--out", self.out, "--clips", 2)
        shared = ("--preset", self.folder / "shared.toml", "--device", "cpu", "--json")
        arguments = [str(argument) for argument in ("front", *fixed, *shared, *options)]
        result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path)


@pytest.mark.slow
def test_what_has_ended_is_kept_and_what_was_interrupted_goes_on(experiment: Experiment) -> None:
    only = ("--only", "hidden0.5,static84", "--steps", 2)
    first = experiment.front(*only)
    assert "training dense" in first.stderr
    assert "training hidden0.5, static84" in first.stderr
    result = Front.model_validate_json(first.stdout)
    assert result == Front.model_validate_json((experiment.out / "front.json").read_text())
    assert {(run.name, run.site, run.hidden, run.seed) for run in result.runs} == {
        ("static84", "none", 84, 1),
        ("hidden0.5", "hidden", 96, 1),
    }
    assert (experiment.out / "front.md").read_text().count("\n| ") == 5
    assert (experiment.out / "front.png").stat().st_size > 5000
    assert (experiment.out / "front.svg").exists()

    # A second seed was killed after its first epoch.
    folder = experiment.out / "static84-seed2"
    run = experiment.protocol.run(parse_candidates("static84")[0], seed=2)
    assert run.folder == folder
    trainer = Trainer(run.config, *load_mixers(load_corpus(experiment.corpus), run.config), folder)
    trainer.start_from(load_checkpoint(experiment.out / "dense").network)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(_interrupt, workers=0)
    assert load_checkpoint(folder).manifest.epoch == 1
    again = experiment.front("--only", "static84", "--seeds", 2, "--steps", 2)
    assert "training static84-seed2\n" in again.stderr
    assert "dense" not in again.stderr
    assert is_finished(folder, run.config)
    runs = Front.model_validate_json(again.stdout).runs
    assert [(run.name, run.seed) for run in runs] == [("static84", 1), ("static84", 2), ("hidden0.5", 1)]
    # Read from its folder: a second scoring would differ in the last digits of ESTOI.
    assert runs[0] == result.runs[0]

    with pytest.raises(CheckpointError, match=r"dense/config\.toml: is another experiment"):
        experiment.front("--only", "static84", "--steps", 4)


def _interrupt(step: object) -> None:
    if getattr(step, "validation_loss", None) is not None:
        raise KeyboardInterrupt


def test_every_candidate_starts_from_the_dense_network_and_shares_all_else(tmp_path: Path) -> None:
    protocol = Protocol.make(500, tmp_path)
    dense = protocol.dense()
    assert (dense.network.gate_site, dense.training.epochs * dense.training.steps_per_epoch) == ("none", 500)
    free = {"gate_site", "hidden", "gate"}
    for candidate in CANDIDATES:
        run = protocol.run(candidate, seed=3)
        assert run.folder == tmp_path / f"{candidate.name}-seed3"
        assert run.config.mixing == dense.mixing
        assert run.config.network.model_dump(exclude=free) == dense.network.model_dump(exclude=free)
        training = run.config.training
        assert (training.seed, training.epochs * training.steps_per_epoch) == (3, 500)
        assert training.learning_rate == dense.training.learning_rate
        assert (run.config.network.gated == 0) == (candidate.target is None)
    assert load_config("front").network == dense.network


def test_an_altered_budget_is_another_experiment(tmp_path: Path) -> None:
    config = Protocol.make(4, tmp_path).dense()
    assert not is_finished(tmp_path / "dense", config)
    tiny = config.model_copy(update={"network": SHARED.network})
    write_checkpoint(tmp_path / "dense", Enhancer(tiny.network), tiny, 1, [], 0.1)
    assert is_finished(tmp_path / "dense", tiny)
    longer = tiny.model_copy(update={"training": tiny.training.model_copy(update={"epochs": 2})})
    assert not is_finished(tmp_path / "dense", longer)


@pytest.mark.parametrize("steps", [0, 1, 501, -2])
def test_steps_are_those_of_two_epochs(tmp_path: Path, steps: int) -> None:
    with pytest.raises(ConfigError, match=rf"--steps {steps}: must be a positive multiple of 2"):
        Protocol.make(steps, tmp_path)


def test_an_unknown_candidate_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"--only hidden0\.3: no such network; there are static56, .*hidden0\.5"):
        parse_candidates("static84,hidden0.3")
