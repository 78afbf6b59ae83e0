# SPDX-License-Identifier: Apache-2.0
"""The CSV of `dyncp enhance`: its columns, its units, and that it says what the C struct says."""

from __future__ import annotations

import csv
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from hypothesis import given
from hypothesis import strategies as st
from libraries import SMALL, library, program
from signals import speech_like
from typer.testing import CliRunner

from dyncp.base.audio import write_pcm
from dyncp.base.tasks import PESQ, PITCH, SNR_IN, VOICE_ACTIVITY, Task, classes_task
from dyncp.cli import commands
from dyncp.export.formats.bundle import Bundle, Probes, ProbeTask
from dyncp.export.integers.signals import columns, read_out, rows

STRUCT = Path(__file__).parents[1] / "emitted_c" / "signals.c"
NOISE_COLUMNS = ("noise_score_hum", "noise_score_street", "noise")
PROPORTION = Task(name="wind", kind="regression", outputs=1, unit="% of max")


def bundle_of(*tasks: Task) -> Bundle:
    """A bundle with these tasks in Q8, whatever their weights."""
    bundle = random_bundle(SMALL, seed=3, probes=None)
    outputs = sum(task.outputs for task in tasks)
    listed = [ProbeTask(**task.model_dump(), q=8) for task in tasks]
    bundle.probes = Probes(np.zeros((1, outputs), np.int8), np.zeros(outputs, np.int32), np.zeros(1, np.int32), listed)
    return bundle


def table(bundle: Bundle, words: list[list[int]]) -> list[dict[str, str]]:
    assert bundle.probes is not None
    signals = read_out(bundle, np.array(words, np.int32))
    names = columns(bundle.probes.tasks)
    return [dict(zip(names, row, strict=True)) for row in rows(signals, len(words))]


def test_columns_are_named_by_task_unit_and_class() -> None:
    noise = classes_task("noise", ["Hum & buzz", "hum-buzz", "日本"], "all")
    assert columns([VOICE_ACTIVITY, SNR_IN, PESQ, PITCH, PROPORTION, noise]) == [
        *("vad_score", "vad", "snr_in_db", "snr_in_valid", "pesq_mos", "f0_hz", "f0_valid", "wind_of_max"),
        *("noise_score_hum_buzz", "noise_score_hum_buzz_1", "noise_score_2", "noise"),
    ]


def test_a_later_part_of_a_stream_goes_on_with_its_warm_up() -> None:
    """What is valid does not depend on where a stream was cut."""
    bundle = bundle_of(VOICE_ACTIVITY, PITCH)
    frames = bundle.config.warm_up + 4
    words = np.ones((frames, 2), np.int32)
    whole = read_out(bundle, words)[1].valid
    assert not whole[0]
    assert whole[-1]
    for cut in range(1, frames):
        parts = read_out(bundle, words[:cut])[1].valid, read_out(bundle, words[cut:], cut)[1].valid
        assert np.array_equal(np.concatenate(parts), whole)


@given(st.lists(st.text(max_size=4), min_size=2, max_size=12))
def test_columns_of_any_classes_are_different_and_plain(classes: list[str]) -> None:
    names = columns([classes_task("noise", classes, "all")])
    assert len(set(names)) == len(classes) + 1
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_values_are_in_their_units() -> None:
    noise = classes_task("noise", ["hum", "street"], "all")
    bundle = bundle_of(VOICE_ACTIVITY, SNR_IN, noise)
    first, last = table(bundle, [[0, -640, 256, 256], [640, 3200, -512, 128]])
    assert list(first) == ["vad_score", "vad", "snr_in_db", "snr_in_valid", *NOISE_COLUMNS]
    assert list(first.values()) == ["0", "0", "-2.5", "0", "1", "1", "hum"]
    assert list(last.values()) == ["2.5", "1", "12.5", "0", "-2", "0.5", "street"]


def test_the_least_positive_score_decides() -> None:
    assert [row["vad"] for row in table(bundle_of(VOICE_ACTIVITY), [[-1], [0], [1], [255], [256]])] == [*"00111"]


def test_speech_is_judged_once_warm_and_where_somebody_speaks() -> None:
    words = [[256, 0], [256, 0], [256, 0], [256, 0], [256, 0], [0, 0], [1, 0]]
    assert SMALL.pooling_frames == 5
    valid = [row["snr_in_valid"] for row in table(bundle_of(VOICE_ACTIVITY, SNR_IN), words)]
    assert valid == ["0", "0", "0", "0", "1", "0", "1"]
    # Without a task that says where, a warm network is all that it takes.
    alone = [row["snr_in_valid"] for row in table(bundle_of(SNR_IN), [[word] for _, word in words])]
    assert alone == ["0", "0", "0", "0", "1", "1", "1"]


def test_no_probes_leave_the_work_alone() -> None:
    assert list(rows(read_out(random_bundle(SMALL, 1, None), np.zeros((2, 0), np.int32)), 2)) == [[], []]


@pytest.mark.slow
def test_the_csv_says_what_the_struct_says(tmp_path: Path) -> None:
    bundle, folder = library(tmp_path)
    pcm = speech_like(90)[:-100]
    write_pcm(tmp_path / "in.wav", pcm)
    arguments = [tmp_path / "in.wav", tmp_path / "out.wav", "--bundle", tmp_path / "bundle-dyncp"]
    CliRunner().invoke(commands, ["enhance", *map(str, arguments)], catch_exceptions=False)
    told = list(csv.DictReader((tmp_path / "out.csv").open()))

    device = program(tmp_path / "signals", [STRUCT, folder / "dyncp.c"], include=[folder])
    heard = np.pad(pcm, (0, 100)).tobytes()
    printed = subprocess.run([device], input=heard, capture_output=True, check=True).stdout.decode()
    assert bundle.probes is not None
    classes = bundle.probes.tasks[1].classes
    struct = [[int(word) for word in line.split()] for line in printed.splitlines()]
    assert len(told) == len(struct) == 90
    assert list(told[0]) == [
        *("time_s", "vad_score", "vad", "noise_score_hum", "noise_score_street", "noise_score_babble", "noise"),
        *("snr_db", "snr_valid", "active", "macs"),
    ]
    for index, (row, members) in enumerate(zip(told, struct, strict=True)):
        macs, active, vad_score, vad, hum, street, babble, noise, snr, snr_valid = members
        assert float(row["time_s"]) == pytest.approx(index * 0.016)
        assert (int(row["macs"]), int(row["active"])) == (macs, active)
        assert (int(row["vad"]), int(row["snr_valid"])) == (vad, snr_valid)
        assert row["noise"] == classes[noise]
        scores = [float(row[name]) * 256 for name in ("vad_score", *list(row)[3:6], "snr_db")]
        assert scores == pytest.approx([vad_score, hum, street, babble, snr], rel=1e-5)
    assert {row["snr_valid"] for row in told} == {"0", "1"}
