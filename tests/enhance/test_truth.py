# SPDX-License-Identifier: Apache-2.0
"""The ground truth file: what is written is read again, and what does not fit is refused by line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dyncp.base.errors import ReportError
from dyncp.base.tasks import PESQ, PITCH, SNR_IN, VOICE_ACTIVITY, classes_task
from dyncp.export.integers.truth import read_truth, write_truth

NOISE = classes_task("noise", ["hum, low", 'the "street"', "babble"], "all")
GENDER = classes_task("gender", ["F", "M"], "speech")
TASKS = [VOICE_ACTIVITY, GENDER, NOISE, SNR_IN, PESQ, PITCH]
FRAMES = 4

numbers = st.one_of(st.just(float("nan")), st.floats(-500, 500, width=32))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 2), numbers), min_size=1, max_size=9))
def test_labels_come_back_where_they_are_defined(tmp_path: Path, frames: list[tuple[int, int, float]]) -> None:
    vad, noise, pesq = (np.array(column) for column in zip(*frames, strict=True))
    labels = {"vad": vad.astype(np.int16), "noise": noise.astype(np.int16), "pesq": pesq.astype(np.float32)}
    write_truth(tmp_path / "truth.csv", [VOICE_ACTIVITY, NOISE, PESQ], labels)
    found = read_truth(tmp_path / "truth.csv", TASKS, len(frames))
    for name, values in labels.items():
        defined = np.isfinite(values) if name == "pesq" else values >= 0
        assert (name in found) == defined.any()
        if name in found:
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)


def test_what_is_told_of_speech_is_empty_where_nobody_speaks(tmp_path: Path) -> None:
    labels = {
        "vad": np.array([0, 1, -1, 1], np.int16),
        "snr_in": np.array([-50, 3, 4, np.nan], np.float32),
        "pesq": np.array([1.5, 2, 2.5, 3], np.float32),
    }
    write_truth(tmp_path / "truth.csv", [VOICE_ACTIVITY, SNR_IN, PESQ], labels)
    lines = (tmp_path / "truth.csv").read_text().splitlines()
    assert lines == ["time_s,vad,snr_in_db,pesq_mos", "0.000,0,,1.5", "0.016,1,3,2", "0.032,,,2.5", "0.048,1,,3"]


def test_labels_have_the_convention_of_streams(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("time_s,f0_hz,gender\n0,120,M\n0.016,,\n0.032,99.5,F\n0.048,,M\n")
    found = read_truth(tmp_path / "truth.csv", TASKS, FRAMES)
    assert {name: labels.dtype for name, labels in found.items()} == {"f0": np.float32, "gender": np.int16}
    assert found["gender"].tolist() == [1, -1, 0, 1]
    np.testing.assert_array_equal(found["f0"], [120, np.nan, 99.5, np.nan])


HEAD, ROWS = "time_s,vad,snr_in_db,noise\n", "0,1,2.5,babble\n0.016,0,,\n0.032,,,\n0.048,1,-3,babble\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("vad\n1\n", "columns are vad; they must be time_s and then any of vad, gender, noise, snr_in_db"),
        ("time_s,vad,loudness\n" + ROWS, "columns are time_s, vad, loudness; they must be"),
        ("time_s,vad,vad,noise\n" + ROWS, "columns are time_s, vad, vad, noise; they must be"),
        ("time_s,loudness\n0,1\n", "columns are time_s, loudness; they must be"),
        (HEAD + ROWS + "0.064,,,\n", "holds 5 rows, but the audio has 4 frames"),
        (HEAD + ROWS.replace("0.016", "0.030"), "line 3: time_s is '0.030', but this frame starts at 0.016 s"),
        # Half a frame late is no nearer to this frame than to the next.
        (HEAD + "0.008" + ROWS[1:], "line 2: time_s is '0.008', but this frame starts at 0.000 s"),
        (HEAD + ROWS.replace("0.016", "soon"), "line 3: time_s is 'soon'"),
        (HEAD + ROWS.replace("-3", "low"), "line 5: snr_in_db is 'low', not a number"),
        (HEAD + ROWS.replace("-3", "inf"), "line 5: snr_in_db is 'inf', not a number"),
        (HEAD + ROWS.replace("0.016,0", "0.016,2"), "line 3: vad is '2', not one of 0, 1"),
        (HEAD + ROWS.replace("5,babble", "5,Babble"), "line 2: noise is 'Babble', not one of hum, low, the"),
        (HEAD + ROWS.replace("0.032,,,", "0.032,,"), "line 4: has 3 cells, but there are 4 columns"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(text)
    with pytest.raises(ReportError) as error:
        read_truth(path, TASKS, FRAMES)
    assert str(error.value).startswith(str(path))
    assert complaint in str(error.value)


def test_no_file_and_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        read_truth(tmp_path / "nowhere.csv", TASKS, FRAMES)
    (tmp_path / "truth.csv").write_bytes(b"time_s,vad\n\xff\xfe\n")
    with pytest.raises(ReportError, match="not a CSV file in UTF-8"):
        read_truth(tmp_path / "truth.csv", TASKS, FRAMES)
