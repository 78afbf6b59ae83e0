# SPDX-License-Identifier: Apache-2.0
"""The fuzzer runs over two small networks without a finding, and reports what is planted (docs/assurance.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from libraries import SMALL, library

from dyncp.base.errors import ToolchainError
from dyncp.firmware.proof.fuzz import TARGETS, Target, fuzz

pytestmark = pytest.mark.slow

NETWORKS = {
    "output-window": SMALL,
    "hidden-ema": SMALL.model_copy(update={"gate_site": "hidden", "pooling": "ema"}),
}
SECONDS = 10


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("network", NETWORKS)
def test_no_finding(tmp_path: Path, network: str, target: Target) -> None:
    _, folder = library(tmp_path, NETWORKS[network])
    result = fuzz(folder, target, SECONDS, kernels="DSP" if network == "hidden-ema" else "PORTABLE")
    assert result.executions > 100
    assert result.covered > 20


@pytest.mark.parametrize(
    ("target", "right", "wrong"),
    [
        ("STATE", "b->slot % 2", "b->slot"),
        ("CALLS", "if ((in == NULL) || (out == NULL)) {", "if (out == NULL) {"),
        ("PCM", "dcp_suppression(dyncp_sigmoid,", "dcp_suppression(dyncp_sigmoid + 257 * (own->history[0] > 0),"),
    ],
)
def test_what_is_planted_is_found(tmp_path: Path, target: Target, right: str, wrong: str) -> None:
    _, folder = library(tmp_path)
    source = folder / "dyncp.c"
    text = source.read_text()
    assert right in text
    source.write_text(text.replace(right, wrong))
    with pytest.raises(ToolchainError, match=rf"fuzzing {target}: [\s\S]*(AddressSanitizer|runtime error)"):
        fuzz(folder, target, 60)
