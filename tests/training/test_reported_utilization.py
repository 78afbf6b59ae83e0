# SPDX-License-Identifier: Apache-2.0
"""`dyncp train` reports the utilization it achieved, and says so when the target was missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sounds import small_corpus
from typer.testing import CliRunner

from dyncp.cli import commands

CONFIG = """
[network]
channels = 8
hidden = 8
stacks = 1
dilations = [1]
gate = 2
[mixing]
clip_s = 0.5
[training]
batch = 2
epochs = 1
steps_per_epoch = 1
target_utilization = {target}
"""


@pytest.mark.slow
@pytest.mark.parametrize("missed", [True, False])
def test_a_missed_target_is_told_with_its_distance(tmp_path: Path, missed: bool) -> None:
    config = tmp_path / "short.toml"
    # One step closes next to nothing: a target of 1 is met, one of 0.1 is missed by far.
    config.write_text(CONFIG.format(target=0.1 if missed else 1.0))
    corpus, out = small_corpus(tmp_path / "corpus"), tmp_path / "run"
    arguments = ["train", str(config), "--corpus", str(corpus), "--out", str(out), "--workers", "0", "--json"]
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["utilization"][0] > 0.8
    assert ("the target utilization was missed by +0." in result.stderr) == missed
    again = CliRunner().invoke(commands, arguments)
    assert "pass --resume or another folder" in str(again.exception)
