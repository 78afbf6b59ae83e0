# SPDX-License-Identifier: Apache-2.0
"""Quality against the cap: every row is the reference under that cap, and the files hold what was measured."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from rich.console import Console
from signals import speech_like
from sounds import small_corpus

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ConfigError
from dyncp.commands.evaluation.caps import parse_caps, run_caps
from dyncp.commands.shared.terminal import make_console
from dyncp.evaluation.quality.cap_curve import CapCurve, cap_curve, default_caps
from dyncp.evaluation.quality.clip_scores import score
from dyncp.export.integers import reference
from dyncp.export.integers.caps import Caps
from dyncp.train.corpora.corpus import load_corpus

pytestmark = pytest.mark.slow

CONFIG = NetworkConfig(channels=24, hidden=32, gate=4, stacks=1, dilations=(1, 2), pooling_frames=8)


def test_every_row_is_the_reference_under_its_cap() -> None:
    bundle = random_bundle(CONFIG.model_copy(update={"block_cap": 2}), seed=4)
    clean = speech_like(150, seed=2)
    noisy = (clean + np.random.default_rng(1).integers(-900, 900, len(clean))).astype(np.int16)
    curve = cap_curve(bundle, [(clean, noisy)], [3, 6, 3])
    assert [(row.per, row.channels) for row in curve.rows] == [
        (None, 48),
        ("block", 6),
        ("block", 3),
        ("frame", 12),
        ("frame", 6),
    ]
    assert (curve.clips, curve.frames) == (1, 150)
    caps = [Caps(24, 48), Caps(6, 48), Caps(3, 48), Caps(24, 12), Caps(24, 6)]
    for row, setting in zip(curve.rows, caps, strict=True):
        run = reference.run(bundle, noisy, caps=setting)
        # ESTOI's last digits vary (docs/evaluation.md).
        assert row.score.model_dump() == pytest.approx(score(clean[:-256], run.output[256:]).model_dump())
        assert (row.macs_mean, row.macs_max) == (run.macs.mean(), run.macs.max())
    assert [row.macs_bound for row in curve.rows] == [CONFIG.macs(n) for n in (48, 12, 6, 12, 6)]
    assert curve.rows[0].macs_max > curve.rows[1].macs_bound, "the caps must have been hit"


def test_the_default_caps() -> None:
    assert default_caps(NetworkConfig()) == [64, 48, 32, 24, 16, 8]
    assert default_caps(CONFIG.model_copy(update={"channels": 4})) == [2, 1]


def test_the_files_hold_the_curve(tmp_path: Path) -> None:
    corpus = load_corpus(small_corpus(tmp_path / "corpus", frames=800))
    console = make_console()
    console.results = Console(file=io.StringIO(), width=200)
    curve = run_caps(console, random_bundle(CONFIG, seed=4), corpus, 2, "6,3", tmp_path / "out")
    assert CapCurve.model_validate_json((tmp_path / "out/caps.json").read_text()) == curve
    table = (tmp_path / "out/caps.md").read_text()
    for row in curve.rows[1:]:
        assert f"| {row.channels} per {row.per} | {row.score.pesq:.3f} |" in table
        assert f"{row.macs_bound:,}" in console.results.file.getvalue()  # type: ignore[attr-defined]
    assert (tmp_path / "out/caps.png").stat().st_size > 5000


@pytest.mark.parametrize("text", ["0", "25", "6,", "six", "-3", "3.5", "٣"])
def test_bad_caps_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--cap .*from 1 to 24"):
        parse_caps(text, CONFIG)
