# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate` on checkpoints with and without a bundle: tables for people, JSON for machines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from command import run
from networks import CAPPED, SHAPES, STATIC, trained_enough
from sounds import small_corpus

from dyncp.base.config.experiment import Config
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError, ConfigError, DyncpError
from dyncp.base.quality import Comparison
from dyncp.evaluation.quality.clean import CleanQuality
from dyncp.evaluation.quality.gates import GateQuality, never_closed
from dyncp.evaluation.quality.levels import LevelTable
from dyncp.export.quantization.fold import fold_network
from dyncp.train.network.checkpoint import write_checkpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """corpus, checkpoint with bundle, and static: a checkpoint without gates."""
    folder = tmp_path_factory.mktemp("evaluation")
    small_corpus(folder / "corpus")
    for name, config in (("checkpoint", SHAPES[0]), ("static", STATIC)):
        checkpoint(folder / name, config)
    run("export", folder / "checkpoint", folder / "bundle", "--corpus", folder / "corpus", "--clips", 0)
    return folder


def checkpoint(folder: Path, config: NetworkConfig) -> None:
    write_checkpoint(folder, trained_enough(config), Config(network=config), 1, [0.5] * config.blocks, 0.1)


def evaluate(folder: Path, *arguments: object) -> Result:
    return run("evaluate", *arguments, "--corpus", folder / "corpus", "--clips", 3, "--json")


def test_float_and_int8(folder: Path) -> None:
    result = evaluate(folder, folder / "checkpoint", folder / "bundle")
    comparison = Comparison.model_validate_json(result.stdout)
    assert comparison.clips == sum(b.clips for b in comparison.by_snr) == 3
    assert comparison.int8 is not None
    for label in ("PESQ-WB", "STOI", "ESTOI", "SI-SDR, dB", "int8 − noisy", "MACs per frame", "utilization"):
        assert label in result.stderr
    assert f"{comparison.int8.pesq:.3f}" in result.stderr


def test_the_float_network_alone_and_without_gates(folder: Path) -> None:
    gated = evaluate(folder, folder / "checkpoint")
    assert json.loads(gated.stdout)["int8"] is None
    assert "int8" not in gated.stderr
    static = evaluate(folder, folder / "static")
    assert json.loads(static.stdout)["utilization_float"] is None
    assert "every channel is always active" in static.stderr


def test_splits_differ(folder: Path) -> None:
    test, validation = (
        Comparison.model_validate_json(evaluate(folder, folder / "checkpoint", "--split", split).stdout)
        for split in ("test", "validation")
    )
    assert test.noisy != validation.noisy


def test_levels(folder: Path) -> None:
    result = evaluate(folder, folder / "checkpoint", folder / "bundle", "--levels", "-40,-26,0")
    rows = LevelTable.model_validate_json(result.stdout).rows
    assert [row.level_dbfs for row in rows] == [-40, -26, 0]
    assert rows[0].saturated == 0 < rows[2].saturated < 0.5
    estoi = [row.comparison.noisy.estoi for row in rows]
    assert estoi[0] == pytest.approx(estoi[1], abs=1e-3)
    assert abs(estoi[2] - estoi[1]) > abs(estoi[0] - estoi[1])
    assert np.unique([row.comparison.float_.pesq for row in rows]).size == 3


def test_clean_speech(folder: Path) -> None:
    result = evaluate(folder, folder / "checkpoint", folder / "bundle", "--clean")
    found = CleanQuality.model_validate_json(result.stdout)
    assert found.clips == 3
    assert found.int8 is not None
    assert found.clean.pesq == pytest.approx(4.644, abs=1e-3)
    assert found.clean.estoi == pytest.approx(1)
    assert found.float_.score.pesq < found.clean.pesq
    assert found.int8.level_db == pytest.approx(found.float_.level_db, abs=0.3)
    for label in ("PESQ-WB", "SI-SDR, dB", "level, dB", "int8"):
        assert label in result.stderr
    assert f"{found.int8.level_db:+.2f}" in result.stderr
    assert json.loads(evaluate(folder, folder / "static", "--clean").stdout)["int8"] is None


def test_in_rooms_late_reflections_are_noise(folder: Path) -> None:
    """The same mixtures, less intelligible by the late reflections."""
    dry, heard = (
        Comparison.model_validate_json(evaluate(folder, folder / "checkpoint", *rooms).stdout)
        for rooms in ((), ("--rooms",))
    )
    assert heard.clips == dry.clips
    assert [row.clips for row in heard.by_snr] == [row.clips for row in dry.by_snr]
    assert 0.01 < dry.noisy.estoi - heard.noisy.estoi < 0.3
    assert 0 < abs(dry.noisy.si_sdr - heard.noisy.si_sdr) < 3
    gates = GateQuality.model_validate_json(evaluate(folder, folder / "checkpoint", "--gates", "--rooms").stdout)
    assert gates.noisy.si_sdr == pytest.approx(heard.noisy.si_sdr)


@pytest.mark.parametrize("other", [("--clean",), ("--levels", "-20"), ("--peers",)])
def test_rooms_go_with_no_other_measurement(folder: Path, other: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="--rooms is for the plain comparison"):
        evaluate(folder, folder / "checkpoint", "--rooms", *other)


def test_gates_as_they_are_told_and_open(folder: Path) -> None:
    result = evaluate(folder, folder / "checkpoint", "--gates")
    found = GateQuality.model_validate_json(result.stdout)
    whole = Comparison.model_validate_json(evaluate(folder, folder / "checkpoint").stdout)
    decided, told, opened = found.rows
    assert decided.score.model_dump() == pytest.approx(whole.float_.model_dump())
    assert found.noisy.model_dump() == pytest.approx(whole.noisy.model_dump())
    assert 0 < decided.speech < 1
    assert 0 < decided.rest < 1
    assert (told.speech, told.rest) == (1, 0)
    assert (opened.speech, opened.rest) == (1, 1)
    assert len({row.score.si_sdr for row in found.rows}) == 3
    for label in ("own gates", "gates told", "all open", "active near speech", "active at rest"):
        assert label in result.stderr


def test_gates_of_a_bundle_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="--gates measures the float network"):
        evaluate(folder, folder / "checkpoint", folder / "bundle", "--gates")


def test_gates_that_are_told_keep_open_what_never_closes() -> None:
    network = trained_enough(SHAPES[1])
    network.keep_open([3, 0])
    kept = never_closed(fold_network(network, ""))
    assert kept.shape == (2, 40)
    assert np.argwhere(kept).tolist() == [[0, 0], [0, 1], [0, 2]]


@pytest.mark.parametrize("config", [STATIC, CAPPED[0]], ids=["static", "capped"])
def test_gates_that_cannot_be_told(folder: Path, config: NetworkConfig) -> None:
    checkpoint(folder / "other", config)
    with pytest.raises(ConfigError, match="--gates: needs a network with gates and without a cap"):
        evaluate(folder, folder / "other", "--gates")


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        (("--clean", "--gates"), ConfigError, "--clean is a measurement of its own"),
        (("--gates", "--day"), ConfigError, "--gates is a measurement of its own"),
        (("--clean", "--levels", "-40,-30"), ConfigError, "--clean is a measurement of its own"),
        (("--clean", "--day"), ConfigError, "--clean is a measurement of its own"),
        (("--clean", "--peers"), ConfigError, "--clean is a measurement of its own"),
        (("--paper", "out"), BundleError, "name its BUNDLE"),
        (("--rivals", "out"), BundleError, "name its BUNDLE"),
        (("--caps", "out"), BundleError, "name its BUNDLE"),
        (("--levels", "loud"), ConfigError, "--levels loud: must be levels in dBFS"),
        (("--levels", "-40,3"), ConfigError, "--levels -40,3"),
    ],
)
def test_mistakes_are_named(folder: Path, options: tuple[str, ...], error: type[DyncpError], complaint: str) -> None:
    with pytest.raises(error, match=complaint):
        evaluate(folder, folder / "checkpoint", *options)
