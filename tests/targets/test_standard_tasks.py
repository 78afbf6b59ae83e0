# SPDX-License-Identifier: Apache-2.0
"""Which tasks and classes a corpus gives."""

from __future__ import annotations

from itertools import product

import pytest
from constructed import background, voice

from dyncp.base.errors import ConfigError
from dyncp.train.corpora.recordings import Corpus
from dyncp.train.targets.standard_tasks import TABLE_1, Classes, standard_tasks

ACCENTS = ("English", "Irish", "Scottish", "Welsh", "Indian (Delhi)", "Ulster")
CATEGORIES = ("Domestic", "Nature", "Office", "Public", "Street", "Transportation")


def corpus(
    genders: tuple[str, ...] = ("F", "M"),
    accents: tuple[str, ...] = ACCENTS,
    categories: tuple[str, ...] = CATEGORIES,
    speakers: int = 2,
) -> Corpus:
    combinations = enumerate(product(genders, accents, range(speakers)))
    return Corpus(
        tuple(voice(f"{number}.wav", gender, accent) for number, (gender, accent, _) in combinations),
        tuple(background(f"{name}.wav", name) for name in categories),
    )


def test_table_1_of_the_paper() -> None:
    classes = Classes.of(corpus())
    tasks = standard_tasks(classes)
    assert tuple(task.name for task in tasks) == TABLE_1
    assert classes.left_out() == {}
    # The paper counts two outputs for voice activity, of which one is the other's negative.
    assert sum(task.outputs for task in tasks) == 20
    by_name = {task.name: task for task in tasks}
    assert by_name["accent"].classes == sorted(ACCENTS)
    assert by_name["noise"].classes == list(CATEGORIES)
    assert {name for name, task in by_name.items() if task.frames == "all"} == {"vad", "noise", "pesq"}


def test_entries_that_say_nothing_are_no_classes() -> None:
    accents = ("", "unspecified (mostly US English)", "Unknown", "Welsh", "Irish")
    classes = Classes.of(corpus(("F", "M", "U"), accents, ("Street", "", "Office")))
    assert classes == Classes(("F", "M"), ("Irish", "Welsh"), ("Office", "Street"))


def test_an_accent_of_one_speaker_is_no_class() -> None:
    part = corpus(accents=("Irish", "Welsh"))
    lonely = [voice("x1.wav", accent="Manx"), voice("x1.wav", accent="Manx")]
    assert Classes.of(Corpus((*part.speech, *lonely), part.noise)).accents == ("Irish", "Welsh")


def test_a_poor_corpus_loses_tasks_and_says_why() -> None:
    classes = Classes.of(corpus(("F",), ("",), ("Street",)))
    assert [task.name for task in standard_tasks(classes)] == ["vad", "snr_in", "snr_out", "si_sdr", "pesq", "f0"]
    reasons = classes.left_out()
    assert "only 'F'" in reasons["gender"]
    assert "has none" in reasons["accent"]
    assert "noise.csv" in reasons["noise"]
    with pytest.raises(ConfigError, match="gender: needs two classes"):
        standard_tasks(classes, ["vad", "gender"])


def test_tasks_by_name() -> None:
    classes = Classes.of(corpus())
    tasks = standard_tasks(classes, {"pesq_out", "vad", "si_sdr_out"})
    assert [(task.name, task.unit) for task in tasks] == [
        ("vad", "log-odds"),
        ("si_sdr_out", "dB"),
        ("pesq_out", "MOS"),
    ]
    with pytest.raises(ConfigError, match="'mood': unknown"):
        standard_tasks(classes, ["mood"])
