# SPDX-License-Identifier: Apache-2.0
"""The report's signals: what the words say, against the truth, in few enough points to draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from report_runs import FRAMES, Run, make_run, write_truth_of

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ReportError
from dyncp.export.integers.readout import probe_signals
from dyncp.firmware.report.build import build_report, write_report
from dyncp.firmware.report.contents.signals import MOST_POINTS, SignalsReport, Thinning


def reported(run: Run, truth: Path | None = None) -> SignalsReport:
    signals = build_report(run.bundle, run.folder, truth=truth).signals
    assert signals is not None
    return signals


def words_of(run: Run) -> np.ndarray:
    probes = run.bundle.probes
    assert probes is not None
    return probe_signals(probes, np.load(run.folder / "probes.npy"))


def test_every_frame_of_short_audio_is_a_point(run: Run) -> None:
    signals, words = reported(run), words_of(run)
    assert (signals.step_s, signals.frames_per_point, signals.seconds) == (0.016, 1, FRAMES * 0.016)
    assert signals.macs == np.load(run.folder / "macs.npy").tolist()
    assert signals.active == run.active.sum(axis=(1, 2)).tolist()
    vad, noise, snr = signals.traces
    assert [(trace.name, trace.kind, trace.unit) for trace in signals.traces] == [
        ("vad", "binary", "log-odds"),
        ("noise", "multiclass", "score"),
        ("snr", "regression", "dB"),
    ]
    assert vad.values == pytest.approx(words[:, 0] / 256, rel=1e-4)
    assert vad.decisions == (words[:, 0] > 0).astype(int).tolist()
    assert (noise.values, noise.decisions) == (None, words[:, 1:4].argmax(axis=1).tolist())
    assert (snr.values, snr.decisions) == (pytest.approx(words[:, 4] / 256, rel=1e-4), None)
    warm = np.arange(FRAMES) >= 12
    assert snr.valid == (warm & (words[:, 0] > 0)).tolist()
    assert vad.valid == noise.valid == [True] * FRAMES
    assert [(trace.truth, trace.score) for trace in signals.traces] == [(None, None)] * 3


def test_truth_and_its_scores(run: Run, tmp_path: Path) -> None:
    labels = write_truth_of(run, tmp_path / "truth.csv")
    words = words_of(run)
    vad, noise, snr = reported(run, tmp_path / "truth.csv").traces
    assert vad.truth == labels["vad"].tolist()
    assert noise.truth == [None if label < 0 else label for label in labels["noise"]]
    assert vad.score is not None
    assert vad.score.accuracy == pytest.approx(((words[:, 0] > 0) == labels["vad"]).mean())
    known = labels["noise"] >= 0
    assert noise.score is not None
    assert noise.score.frames == known.sum() < FRAMES
    assert noise.score.accuracy == pytest.approx((words[:, 1:4].argmax(axis=1) == labels["noise"])[known].mean())
    # The truth of a task of speech is kept where the truth says speech, and scored where the device says so too.
    spoken = labels["vad"] == 1
    assert [value is not None for value in snr.truth or ()] == spoken.tolist()
    used = spoken & snr.valid
    assert snr.score is not None
    assert snr.score.frames == used.sum() > 0
    assert snr.score.mae == pytest.approx(np.abs(words[:, 4] / 256 - labels["snr"])[used].mean(), rel=1e-4)


def test_truth_of_other_audio_is_refused(run: Run, tmp_path: Path) -> None:
    write_truth_of(run, tmp_path / "truth.csv")
    lines = (tmp_path / "truth.csv").read_text().splitlines()
    (tmp_path / "truth.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(ReportError, match=rf"truth\.csv: holds {FRAMES - 1} rows, but the audio has {FRAMES} frames"):
        build_report(run.bundle, run.folder, truth=tmp_path / "truth.csv")


def test_signals_are_of_the_library_that_was_validated(run: Run, tmp_path: Path) -> None:
    """A library with one signal of three; the truth may know them all."""
    write_truth_of(run, tmp_path / "truth.csv")
    words = np.load(run.folder / "probes.npy")
    np.save(run.folder / "probes.npy", words[:, 4:])
    run.write(run.record.model_copy(update={"tasks": ["snr"]}))
    (snr,) = reported(run, tmp_path / "truth.csv").traces
    assert snr.name == "snr"
    assert snr.truth is not None
    # Nothing says where speech is, so that a warm network is valid.
    assert snr.valid == [frame >= 12 for frame in range(FRAMES)]


@pytest.mark.slow
def test_long_audio_is_drawn_in_few_points(tmp_path: Path) -> None:
    config = NetworkConfig(channels=8, hidden=16, stacks=1, dilations=(1,), gate=4, pooling_frames=13)
    run = make_run(config, tmp_path, frames=4100)
    write_truth_of(run, tmp_path / "truth.csv")
    report = build_report(run.bundle, run.folder, truth=tmp_path / "truth.csv")
    signals = report.signals
    assert signals is not None
    assert signals.frames_per_point == 3
    assert signals.step_s == pytest.approx(0.048)
    for trace in signals.traces:
        for values in (trace.values, trace.decisions, trace.valid, trace.truth):
            assert values is None or len(values) == len(signals.macs) <= MOST_POINTS
    macs = np.load(run.folder / "macs.npy")
    assert (min(signals.macs), max(signals.macs)) == (macs.min(), macs.max())
    _, page = write_report(report, run.folder, tmp_path / "out")
    assert "each two points of a line are the least and the greatest of 6 frames" in page.read_text(encoding="utf-8")


@given(arrays(np.float64, st.integers(1, 9000), elements=st.sampled_from([-3.0, 0.0, 1.5, 7.0, np.nan])))
def test_thinning_keeps_the_extremes_of_every_stretch(values: np.ndarray) -> None:
    thinning = Thinning(len(values))
    points = thinning.extremes(values)
    assert len(points) <= MOST_POINTS
    if thinning.frames_per_point == 1:
        np.testing.assert_array_equal(points, values)
        return
    length = 2 * thinning.frames_per_point
    for index, pair in enumerate(points.reshape(-1, 2)):
        finite = [value for value in values[index * length :][:length] if not np.isnan(value)]
        assert sorted(pair) == [min(finite), max(finite)] if finite else np.isnan(pair).all()


@given(arrays(np.int16, st.integers(2001, 5000), elements=st.integers(-1, 3)))
def test_thinning_keeps_the_commonest_class(classes: np.ndarray) -> None:
    thinning = Thinning(len(classes))
    points = thinning.commonest(classes)
    assert len(points) == len(thinning.extremes(classes)) <= MOST_POINTS
    length = 2 * thinning.frames_per_point
    for index in range(len(classes) // length):
        stretch = classes[index * length :][:length].tolist()
        assert stretch.count(points[2 * index]) == max(stretch.count(k) for k in stretch)
        assert points[2 * index] == points[2 * index + 1]
