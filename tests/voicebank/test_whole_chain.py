# SPDX-License-Identifier: Apache-2.0
"""Every command that takes a corpus, on VoiceBank+DEMAND as published: converted, trained on, probed, evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import dyncp
from published import published_tree

from dyncp.export.formats.bundle import read_bundle

TINY = """
[network]
channels = 16
hidden = 24
stacks = 1
dilations = [1, 2]
gate = 6
pooling_frames = 8

[mixing]
clip_s = 1.0

[training]
batch = 4
epochs = 1
steps_per_epoch = 20
utilization_ramp = 0.0
target_utilization = 0.5
auxiliary_weight = 0.1
"""


@pytest.mark.slow
def test_from_the_published_tree_to_the_papers_tables(tmp_path: Path) -> None:
    published, corpus = published_tree(tmp_path / "published", rate=48_000), tmp_path / "corpus"
    checkpoint, bundle, cache = tmp_path / "checkpoint", tmp_path / "bundle", tmp_path / "labels"
    (tmp_path / "tiny.toml").write_text(TINY)
    dyncp("corpus", published, corpus)
    dyncp("train", tmp_path / "tiny.toml", "--corpus", corpus, "--out", checkpoint, "--workers", 0)
    dyncp("export", checkpoint, bundle, "--corpus", corpus, "--clips", 0)
    options = ("--corpus", corpus, "--minutes", 0.5, "--cache", cache)
    told = json.loads(dyncp("probe", checkpoint, bundle, *options, "--json"))
    assert {"vad", "gender", "noise", "snr_in", "si_sdr", "f0"} <= set(told["scores"])
    probes = read_bundle(bundle).probes
    assert probes is not None
    noise = next(task for task in probes.tasks if task.name == "noise")
    # Of the train log alone: restaurant, metro and ssn validate.
    assert noise.classes == ["Artificial", "Domestic", "Office", "Public", "Street", "Transportation"]
    dyncp("evaluate", checkpoint, bundle, *options, "--paper", tmp_path / "paper")
    paper = json.loads((tmp_path / "paper" / "paper.json").read_text())
    assert {"masks", "top64", "spectrum"} <= {row["features"] for row in paper["tasks_by_features"]}
    assert (tmp_path / "paper" / "tasks_by_features.png").stat().st_size > 10_000
