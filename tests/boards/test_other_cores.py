# SPDX-License-Identifier: Apache-2.0
"""The generated C by other compilers and on cores other than Arm's: every word is the reference's, and instructions
are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundles import random_bundle
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import write_bundle
from dyncp.firmware.building.boards import load_boards
from dyncp.firmware.proof.validate import validate

SMALL = NetworkConfig(channels=12, hidden=128, stacks=1, dilations=(1, 3), gate=5, pooling_frames=4)
# The Cortex-M0's 16 KB of RAM hold a network with less history, and no trace of a larger one.
TINY = SMALL.model_copy(update={"hidden": 40, "dilations": (1, 2)})
POOLINGS: dict[str, dict[str, object]] = {
    "window": {"pooling": "window"},
    "ema": {"pooling": "ema"},
    "gate": {"pooling": "gate", "pooling_frames": (3, 9, 40)},
}
CORES = [board.core for board in load_boards() if not board.default and board.core != "cortex-m0"]


@pytest.mark.slow
@pytest.mark.parametrize("gate_site", ["output", "hidden"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_cortex_m0_is_exact(gate_site: str, pooling: str, tmp_path: Path) -> None:
    config = NetworkConfig.model_validate({**TINY.model_dump(), "gate_site": gate_site, **POOLINGS[pooling]})
    bundle = random_bundle(config, seed=6)
    write_bundle(bundle, tmp_path / "bundle")
    library = generate(bundle, tmp_path / "library")
    record = validate(bundle, library, speech_like(8), tmp_path / "out", boards=["cortex-m0"], cycles=True)
    [target] = record.targets
    assert record.exact
    assert target.mismatches.total == 0
    assert target.memory.ram < 16 * 1024
    assert target.cycles is not None
    # A Cortex-M0+ takes one cycle or two for most instructions.
    assert target.instructions_per_frame.mean < target.cycles.cycles < 2 * target.instructions_per_frame.mean


@pytest.mark.slow
@pytest.mark.parametrize("gate_site", ["output", "hidden"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_other_cores_are_exact(gate_site: str, pooling: str, tmp_path: Path) -> None:
    config = NetworkConfig.model_validate({**SMALL.model_dump(), "gate_site": gate_site, **POOLINGS[pooling]})
    bundle = random_bundle(config, seed=5)
    write_bundle(bundle, tmp_path / "bundle")
    library = generate(bundle, tmp_path / "library")
    record = validate(bundle, library, speech_like(8), tmp_path / "out", boards=CORES)
    assert record.exact
    assert [target.name for target in record.targets] == CORES
    for target in record.targets:
        assert target.mismatches.total == 0
        assert 0 < target.memory.stack < 1536
        assert sum(target.instructions_by_stage.values()) == pytest.approx(target.instructions_per_frame.mean)
    counts = {target.name: target.instructions_per_frame.mean for target in record.targets}
    assert counts["rv64gcv"] < counts["rv32imac"], "vectors must show"
    assert counts["hexagon-v67"] < counts["rv32imac"], "packets must show"
    assert counts["cortex-m55-clang"] < counts["cortex-m4-clang"] < counts["cortex-m3-clang"], "kernels must show"
