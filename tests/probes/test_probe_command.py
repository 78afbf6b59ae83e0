# SPDX-License-Identifier: Apache-2.0
"""`dyncp probe` on real voices, with targets of a user's own: fitted, scored, in the checkpoint, in the C struct."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import run

from dyncp.base.errors import ConfigError, ProbeError
from dyncp.base.paths import CHECKPOINTS
from dyncp.export.formats.bundle import read_bundle
from dyncp.train.corpora.demo_corpus import build_demo_corpus
from dyncp.train.probes.files import load_probes

# A regression on frames with speech.
LEVEL = """
import numpy as np
from dyncp.train.targets.frames import window_rms
from dyncp.base.tasks import Task

TASK = Task(name="talker_level", kind="regression", outputs=1, unit="dBFS", frames="speech")


def labels(stream):
    return 20 * np.log10(window_rms(stream.clean / 32768) + 1e-6)
"""
NEVER = LEVEL.replace("talker_level", "nothing").replace("20 *", "0 *")
# Whether the background is a machine: one label for each whole noise file.
NOISES = [f"{split}_{kind}" for split in ("train", "test") for kind in ("babble", "pink", "machine")]
MACHINE = ["file,time_s,is_machine", *(f"noise/{name}.flac,0,{int('machine' in name)}" for name in NOISES)]


@dataclass(frozen=True)
class Workplace:
    """A corpus, the shipped checkpoint, its bundle, and two targets."""

    corpus: Path
    checkpoint: Path
    bundle: Path
    level: Path
    machine: Path

    def probe(self, *arguments: object) -> tuple[dict[str, Any], str]:
        """What `dyncp probe` prints: its JSON, and what a person reads."""
        result = run("probe", self.checkpoint, self.bundle, "--corpus", self.corpus, "--json", *arguments)
        return json.loads(result.stdout), result.stderr


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("probe")
    place = Workplace(
        build_demo_corpus(folder / "corpus", 20, 10),
        shutil.copytree(CHECKPOINTS / "paper", folder / "checkpoint"),
        folder / "bundle",
        folder / "level.py",
        folder / "machine.csv",
    )
    place.level.write_text(LEVEL)
    place.machine.write_text("\n".join(MACHINE) + "\n")
    run("export", place.checkpoint, place.bundle, "--corpus", place.corpus, "--clips", 0)
    return place


@pytest.mark.slow
def test_fewer_mask_bits_for_all_signals_together(workplace: Workplace) -> None:
    options = ("--signals", "vad,noise", "--minutes", 2)
    every, _ = workplace.probe(*options)
    few, _ = workplace.probe(*options, "--features", 20)
    probes = read_bundle(workplace.bundle).probes
    assert probes is not None
    assert every["features"] > 200
    assert few["features"] == len(probes.channel) == 20
    assert few["scores"]["vad"]["auc"] > every["scores"]["vad"]["auc"] - 0.05
    saved = load_probes(workplace.checkpoint)
    assert saved is not None
    assert len(saved.channel) == 20


@pytest.mark.slow
def test_targets_of_a_user_reach_the_struct(workplace: Workplace, tmp_path: Path) -> None:
    timing = ("--smoothing", "vad=2,talker_level=4", "--period", "noise=4")
    options = ("--signals", "vad,noise", *timing, "--balanced", "vad", "--minutes", 2)
    told, read = workplace.probe(*options, "--target", workplace.level, "--target", workplace.machine)
    scores = told["scores"]
    assert list(scores) == ["vad", "noise", "talker_level", "is_machine"]
    assert scores["vad"]["auc"] > 0.6
    assert scores["is_machine"]["balanced_accuracy"] > 0.6
    assert 0 < scores["talker_level"]["mae"] < 30
    assert told["features"] > 100
    assert told["always_on"] + told["always_off"] + told["features"] <= 1152
    assert "always off" in read
    for name in scores:
        assert name in read
    probes, kept = read_bundle(workplace.bundle).probes, load_probes(workplace.checkpoint)
    assert probes is not None
    assert kept is not None
    assert [task.name for task in probes.tasks] == [task.name for task in kept.tasks] == list(scores)
    assert [task.smoothing for task in probes.tasks] == [2, 0, 4, 0]
    assert [task.period for task in probes.tasks] == [task.period for task in kept.tasks] == [1, 4, 1, 1]
    assert probes.weight.itemsize * 8 == kept.bits == told["bits"]
    run("generate", workplace.bundle, tmp_path / "library")
    header = "\n".join(path.read_text() for path in (tmp_path / "library").glob("*.h"))
    for member in ("vad_score", "vad", "noise_scores", "noise", "talker_level", "is_machine_score", "is_machine"):
        assert re.search(rf"\b{member}\b(\[\w+\])?;", header), member
    assert "dBFS" in header
    # Export again: the checkpoint's probes come along.
    run("export", workplace.checkpoint, tmp_path / "again", "--corpus", workplace.corpus, "--clips", 0)
    again = read_bundle(tmp_path / "again").probes
    assert again is not None
    assert again.tasks == probes.tasks
    assert (again.weight == probes.weight).all()
    assert np.array_equal(again.bias, probes.bias)


@pytest.mark.slow
def test_what_cannot_be_learned_is_said_and_left_out(workplace: Workplace, tmp_path: Path) -> None:
    never = tmp_path / "never.py"
    never.write_text(NEVER)
    told, read = workplace.probe("--minutes", 0.5, "--target", never)
    # Debian's voices: one speaker to an accent.
    assert "left out: accent: needs two classes" in read
    assert "left out: probe nothing: all" in read
    assert {"vad", "snr_in", "f0"} <= set(told["scores"])
    assert not {"accent", "nothing"} & set(told["scores"])


@pytest.mark.slow
def test_what_was_asked_for_is_not_left_out(workplace: Workplace, tmp_path: Path) -> None:
    never = tmp_path / "never.py"
    never.write_text(NEVER)
    for options, error, complaint in (
        (("--signals", "accent"), ConfigError, "accent: needs two classes"),
        (("--signals", "loudness"), ConfigError, "'loudness': unknown; the targets are vad"),
        (("--smoothing", "vad=8"), ConfigError, "--smoothing vad=8: must be NAME=0 to NAME=7; the tasks are vad"),
        (("--smoothing", "loudness=1"), ConfigError, "--smoothing loudness=1"),
        (("--period", "vad=3"), ConfigError, "--period vad=3: must be NAME=1, 2, 4, 8 or 16; the tasks are vad"),
        (("--balanced", "snr_in"), ConfigError, "--balanced snr_in: no task with classes; these have some: vad"),
        (("--signals", "vad", "--minutes", 0.1, "--target", never), ProbeError, "probe nothing"),
    ):
        before = (workplace.checkpoint / "checkpoint.json").read_bytes()
        with pytest.raises(error, match=re.escape(complaint)):
            workplace.probe(*options)
        assert (workplace.checkpoint / "checkpoint.json").read_bytes() == before
