# SPDX-License-Identifier: Apache-2.0
"""`dyncp enhance --limit --strength`: the library's controls, bit-exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from libraries import written_bundle
from signals import HOP, speech_like
from typer.testing import CliRunner

from dyncp.base.audio import read_pcm, write_pcm
from dyncp.cli import commands
from dyncp.export.integers import reference
from dyncp.export.integers.controls import Settings


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ([], Settings()),
        (["--limit", "12"], Settings(limit=12)),
        (["--limit", "0"], Settings(limit=0)),
        (["--strength", "150", "--limit", "20"], Settings(limit=20, strength=150)),
    ],
)
def test_options_are_settings(tmp_path: Path, options: list[str], settings: Settings) -> None:
    bundle = written_bundle(tmp_path / "bundle")
    pcm = speech_like(20)
    write_pcm(tmp_path / "in.wav", pcm)
    arguments = [tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", tmp_path / "bundle", *options]
    CliRunner().invoke(commands, ["enhance", *map(str, arguments)], catch_exceptions=False)
    padded = np.concatenate([pcm, np.zeros(HOP, np.int16)])
    expected = reference.run(bundle, padded, settings=[settings] * 21).output[HOP:]
    np.testing.assert_array_equal(read_pcm(tmp_path / "out.wav"), expected)


@pytest.mark.parametrize("options", [["--limit", "97"], ["--strength", "201"], ["--strength", "-1"]])
def test_options_out_of_range_are_refused(tmp_path: Path, options: list[str]) -> None:
    arguments = ["enhance", "in.wav", str(tmp_path / "out.wav"), "--bundle", str(tmp_path), *options]
    assert CliRunner().invoke(commands, arguments).exit_code == 2
