# SPDX-License-Identifier: Apache-2.0
"""`dyncp evaluate --paper` from a corpus to figures, on real voices and the shipped checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import dyncp

from dyncp.evaluation.paper.results import Paper
from dyncp.evaluation.paper.tasks_by_features import LABELS
from dyncp.export.formats.bundle import read_bundle
from dyncp.train.corpora.demo_corpus import build_demo_corpus


@pytest.mark.slow
def test_the_papers_experiments_on_debians_voices(tmp_path: Path) -> None:
    corpus = build_demo_corpus(tmp_path / "corpus")
    bundle, out = tmp_path / "bundle", tmp_path / "new" / "paper"
    dyncp("export", "paper", bundle, "--corpus", corpus, "--clips", 0)
    options = ("--corpus", corpus, "--paper", out, "--context", tmp_path / "context", "--minutes", 2)
    printed = dyncp("evaluate", "paper", bundle, *options, "--cache", tmp_path / "cache", "--json")
    found = Paper.model_validate_json((out / "paper.json").read_text())
    # Two results are one document.
    told = json.loads(printed)
    assert told.keys() == {"paper", "context"}
    assert Paper.model_validate_json(json.dumps(told["paper"])) == found
    assert told["context"] == json.loads((tmp_path / "context" / "context.json").read_text())
    assert {"plain"} < {row["variant"] for row in told["context"]["rows"]}
    assert found.network_hash == read_bundle(bundle).network_hash
    assert found.network.blocks * found.network.gated == 1152
    # Two test speakers say too little to enrol one: no figure of speaker verification.
    names = {"example", "tasks_by_features", "embedding", "coefficients"}
    expected = {f"{name}.{suffix}" for name in names for suffix in ("png", "svg")} | {"paper.json", "paper.md"}
    assert {path.name for path in out.iterdir()} == expected
    assert found.train.minutes == pytest.approx(2, abs=0.01)
    assert found.test.speakers == 2
    assert {row.features for row in found.tasks_by_features} == set(LABELS)
    # Two women speak in training, of two accents that nobody else has: neither is a task here.
    assert {"vad", "noise", "snr_in", "pesq", "f0"} <= {task.name for task in found.tasks}
    assert [remark.split(":")[0] for remark in found.remarks] == [
        "gender",
        "accent",
        "the figure of speaker verification",
    ]
    (speech,) = (r.score for r in found.tasks_by_features if (r.task, r.features) == ("vad", "masks"))
    assert speech is not None
    assert speech.auc is not None
    assert speech.auc > 0.7
    _, full, flipped, *_ = found.cost
    assert flipped.additions_mean < 0.1 * full.additions_mean
    assert all(row.eer is None and row.reason for row in found.speakers)
