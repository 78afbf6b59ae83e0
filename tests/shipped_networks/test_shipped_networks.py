# SPDX-License-Identifier: Apache-2.0
"""The networks in the package: each is what its checkpoint makes, and its figures are of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import dyncp, run

from dyncp.base.errors import BundleError, CheckpointError
from dyncp.base.paths import CHECKPOINTS, NETWORKS, find_bundle, shipped_networks
from dyncp.bench.shipping.bundles import demo_sounds, differences, make_bundle, probe_scores
from dyncp.bench.shipping.card import read_quality
from dyncp.codegen.accounting import memory
from dyncp.codegen.plan.stages import stages
from dyncp.export.formats.bundle import Bundle, read_bundle, write_bundle
from dyncp.export.formats.shipped import NetworkFigures, figures_document, read_figures
from dyncp.export.integers import reference
from dyncp.firmware.host.library import host_library
from dyncp.firmware.proof.constructed import construct
from dyncp.train.network.checkpoint import CARD, NETWORK, PROBES, read_manifest

NAMES = shipped_networks()
STALE = "run `make bundles`"


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def bundle(name: str) -> Bundle:
    return read_bundle(NETWORKS / name)


@pytest.fixture(scope="module")
def figures(name: str) -> NetworkFigures:
    return read_figures(name)


def test_each_checkpoint_is_in_the_package() -> None:
    assert sorted(path.parent.name for path in CHECKPOINTS.glob("*/checkpoint.json")) == NAMES, STALE
    assert {path.name for path in NETWORKS.iterdir()} == {*NAMES, *(f"{name}.json" for name in NAMES)}


def test_figures_are_of_this_bundle_checkpoint_and_card(name: str, bundle: Bundle, figures: NetworkFigures) -> None:
    assert (figures.bundle_hash, figures.network_hash) == (bundle.hash, bundle.network_hash), STALE
    assert figures.checkpoint_sha256 == read_manifest(CHECKPOINTS / name).files[NETWORK], STALE
    assert figures.quality == read_quality(CHECKPOINTS / name / CARD, name), STALE
    assert figures.signals == probe_scores(CHECKPOINTS / name / PROBES), STALE


def test_figures_are_of_this_generator(bundle: Bundle, figures: NetworkFigures) -> None:
    """State and work are known without a compiler; `make bench-check` counts the rest anew."""
    assert figures.core.state == pytest.approx(memory(bundle).state_total, rel=0.01), STALE
    assert figures.macs.none_active == bundle.config.least_macs
    assert figures.macs.all_active == bundle.config.macs_with(bundle.config.blocks * bundle.config.gated)
    assert figures.macs.none_active <= figures.macs.mean <= figures.macs.max <= bundle.config.most_macs


@pytest.mark.slow
def test_constructed_frames_are_exact_on_the_host(bundle: Bundle) -> None:
    """They reach what audio seldom does, such as the faintest powers beside the first threshold."""
    listed = stages(bundle.config, bundle.probe_outputs)
    audio = reference.run(bundle, np.zeros(bundle.config.hop, np.int16), trace=True)
    constructed, _ = construct(bundle, audio, listed)
    with host_library(bundle, trace=True) as library:
        record = constructed.check(constructed.run_on_host(library))
    assert record.first_divergence is None
    assert record.mismatches.total == 0


@pytest.mark.slow
def test_export_gives_the_same_integers_again(tmp_path: Path) -> None:
    sounds = demo_sounds(tmp_path / "corpus")
    for name in NAMES:
        made = make_bundle(name, sounds)
        assert write_bundle(made, tmp_path / name) == read_figures(name).bundle_hash, STALE


def test_differences_name_what_is_stale(figures: NetworkFigures) -> None:
    assert differences(figures, figures) == []
    core = figures.core
    slower = {"instructions_mean": core.instructions_mean * 1.02, "state": round(core.state * 1.005)}
    other = figures.model_copy(update={"bundle_hash": "0" * 64, "core": core.model_copy(update=slower)})
    found = differences(figures, other)
    assert [what.split(":")[0] for what in found] == ["bundle_hash", "core.instructions_mean"]


def test_an_edited_figure_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in (NETWORKS / f"{name}.json", NETWORKS / name):
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / source.name)
    monkeypatch.setattr("dyncp.export.formats.shipped.NETWORKS", tmp_path)
    path = tmp_path / f"{name}.json"
    assert path.read_bytes() == figures_document(read_figures(name))
    path.write_text(path.read_text().replace('"code": ', '"code": 1'))
    with pytest.raises(BundleError, match="altered"):
        read_figures(name)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("| | noisy | float |\n|---|---|---|\n| PESQ-WB | 1.2 | 1.8 |\n", "no table with the columns noisy and int8"),
        ("| | noisy | int8 |\n|---|---|---|\n| PESQ-WB | 1.2 | 1.8 |\n", "has no row ESTOI"),
    ],
)
def test_a_card_without_quality_is_refused(tmp_path: Path, table: str, complaint: str) -> None:
    (tmp_path / CARD).write_text(f"# Card\n\n{table}\nText.\n")
    with pytest.raises(CheckpointError, match=complaint):
        read_quality(tmp_path / CARD, "own")


def test_a_card_tells_quality(tmp_path: Path) -> None:
    rows = "| PESQ-WB | 1.2 | 1.8 | 1.7 |\n| ESTOI | 0.5 | 0.6 | 0.6 |\n| SI-SDR, dB | −2.1 | 7 | 6.5 |"
    (tmp_path / CARD).write_text(
        f"| a | b |\n|---|---|\n| 1 | 2 |\n\n| | noisy | float | int8 |\n|---|---|---|---|\n{rows}"
    )
    quality = read_quality(tmp_path / CARD, "own")
    assert (quality["SI-SDR, dB"].noisy, quality["PESQ-WB"].enhanced) == (-2.1, 1.7)


def test_names_are_found_and_folders_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = NAMES[0]
    assert find_bundle(Path(first)) == NETWORKS / first
    (tmp_path / first).mkdir()
    assert find_bundle(Path(first)) == Path(first)
    assert find_bundle(Path(f"x/{first}")) == Path(f"x/{first}")
    assert find_bundle(Path("..")) == Path("..")


def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=", ".join(NAMES)):
        read_bundle(tmp_path / "unknown")


def test_networks_lists_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    listed = dyncp("networks")
    for name in NAMES:
        figures = read_figures(name)
        assert name in listed
        assert f"{figures.core.flash:,}" in listed
        quality = next(line for line in listed.splitlines() if "PESQ-WB" in line)
        assert f" {figures.quality['PESQ-WB'].noisy:.2f} " in quality
        assert f" {figures.quality['PESQ-WB'].enhanced:.2f}" in quality
    told = json.loads(dyncp("networks", "--json"))
    assert {name: figures["bundle_hash"] for name, figures in told.items()} == {
        name: read_figures(name).bundle_hash for name in NAMES
    }


def test_generate_takes_a_name_and_tells_cost_and_build(name: str, tmp_path: Path, figures: NetworkFigures) -> None:
    told = run("generate", name, tmp_path / "firmware").stderr
    core = figures.core
    assert f"{core.flash:,} bytes of flash" in told
    assert f"{core.ram:,} bytes of RAM" in told
    assert f"{core.instructions_mean:,.0f} instructions" in told
    assert f"Add {tmp_path / 'firmware' / 'dyncp.c'} to your build, with -O2 or -O3" in told
    fewer = run("generate", name, tmp_path / "fewer", "--signals", "vad").stderr
    assert f"{core.flash:,} bytes of flash" not in fewer
    assert f"{core.instructions_mean:,.0f} instructions" in fewer
