# SPDX-License-Identifier: Apache-2.0
"""The paper's tables and figures on planted data: what the masks hold is found, what the spectrum lacks is not."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb

from dyncp.base.config.network import NetworkConfig
from dyncp.base.tasks import SNR_IN, VOICE_ACTIVITY, classes_task
from dyncp.evaluation.paper import paper
from dyncp.evaluation.paper.coefficients import coefficients, normalised, strongest_channels
from dyncp.evaluation.paper.cost import additions_by_flips, cost_rows
from dyncp.evaluation.paper.embedding import purity
from dyncp.evaluation.paper.example import choose_window
from dyncp.evaluation.paper.results import Paper, TaskRow
from dyncp.evaluation.paper.tasks_by_features import LABELS, Compared
from dyncp.evaluation.plotting import plots
from dyncp.evaluation.plotting.sheet import Sheet, with_notes
from dyncp.train.corpora.recordings import Recording
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.linear import LinearProbe
from dyncp.train.probes.observation import Observation
from dyncp.train.streams.streams import Segment, Stream

CONFIG = NetworkConfig(channels=8, hidden=8, stacks=1, dilations=(1, 2, 4), gate=2)
NOISE = classes_task("noise", ["babble", "hum", "rain"], "all")
FRAMES = 3000
HOP = 256


def planted(seed: int) -> ProbeData:
    """Speech is bit 20 (block 2), the noise class is bits 17 to 19, SNR counts bits; scores and spectrum are noise."""
    rng = np.random.default_rng(seed)
    bits = np.repeat(rng.random((FRAMES // 10, 24)) < 0.5, 10, axis=0)
    noise = np.repeat(rng.integers(0, 3, FRAMES // 100), 100)
    bits[:, 17:20] = np.eye(3, dtype=np.bool_)[noise]
    speech = bits[:, 20]
    labels = {
        "vad": speech.astype(np.int16),
        "noise": noise.astype(np.int16),
        "snr_in": (10 * bits[:, 21] - 5 * bits[:, 22] + 2).astype(np.float32),
    }
    spectrum = rng.normal(size=(FRAMES, 257)).astype(np.float32)
    observation = Observation(
        bits.reshape(FRAMES, 3, 8),
        rng.normal(size=(FRAMES, 3, 8)).astype(np.float32),
        rng.random((FRAMES, 257)).astype(np.float32),
        spectrum,
        np.zeros(FRAMES * HOP, np.int16),
    )
    return ProbeData(stream(), observation, labels, [VOICE_ACTIVITY, NOISE, SNR_IN])


def stream() -> Stream:
    """Four talkers in turn, two recordings each, 375 frames a recording; one noise throughout."""
    silence = np.zeros(FRAMES * HOP, np.int16)
    recordings = [Recording(Path(f"{k % 4}-{k // 4}.wav"), f"talker {k % 4}", "CC0") for k in range(8)]
    speech = tuple(Segment(recording, 375 * k, 375) for k, recording in enumerate(recordings))
    hum = Recording(Path("hum.wav"), "hum", "CC0", category="hum")
    return Stream(silence, silence, silence, speech, (Segment(hum, 0, FRAMES),))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Paper, Path]:
    folder = tmp_path_factory.mktemp("paper")
    train, test = planted(0), planted(1)
    steps: list[str] = []
    compared = Compared(train, test, train.observation, test.observation, CONFIG)
    found = paper.run(compared, "hash", folder, ["gender: not planted"], steps.append)
    assert len(steps) == paper.STEPS
    return found, folder


def row(results: Paper, task: str, features: str) -> TaskRow:
    (found,) = (r for r in results.tasks_by_features if r.task == task and r.features == features)
    return found


@pytest.mark.slow
def test_masks_are_perfect_and_the_spectrum_is_useless(results: tuple[Paper, Path]) -> None:
    found, _ = results
    assert len(found.tasks_by_features) == 3 * len(LABELS)
    for features in ("masks", "top64", "float_masks"):
        speech, noise, snr = (row(found, task, features).score for task in ("vad", "noise", "snr_in"))
        assert speech is not None
        assert speech.auc == 1
        assert noise is not None
        assert noise.balanced_accuracy == 1
        assert snr is not None
        assert snr.r2 == pytest.approx(1, abs=0.01)
    for features in ("spectrum", "scores", "suppression", "first_two_blocks"):
        speech = row(found, "vad", features).score
        assert speech is not None
        assert speech.auc == pytest.approx(0.5, abs=0.08)
    assert row(found, "vad", "first_two_blocks").dimensions == 16


@pytest.mark.slow
def test_every_file_is_written_and_the_json_reads_back(results: tuple[Paper, Path]) -> None:
    found, folder = results
    assert Paper.model_validate_json((folder / "paper.json").read_text()) == found
    for name in ("example", "tasks_by_features", "embedding", "coefficients", "speakers"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (folder / f"{name}.svg").read_text()
        assert f"({name}.png)" in (folder / "paper.md").read_text()
    markdown = (folder / "paper.md").read_text()
    assert "gender: not planted" in markdown
    assert "| masks | 1.000 (1.000) | 1.000 (1.000) |" in markdown


@pytest.mark.slow
def test_a_label_that_never_changes_gives_a_reason_and_no_crash(tmp_path: Path) -> None:
    train, test = planted(0), planted(1)
    train.labels["vad"][:] = 1
    test.labels["noise"][:] = -1
    found = paper.run(Compared(train, test, None, None, CONFIG), "hash", tmp_path, [], lambda _: None)
    assert "all 3000 frames have the label 1" in row(found, "vad", "masks").reason
    assert "no frame" in row(found, "noise", "scores").reason
    assert {r.features for r in found.tasks_by_features} == set(LABELS) - {"float_masks"}
    assert row(found, "snr_in", "masks").score is not None
    # One remark for the many rows that it is true of.
    assert (tmp_path / "paper.md").read_text().count("all 3000 frames have the label 1") == 1


@pytest.mark.slow
def test_a_figure_without_a_point_is_left_out_with_its_reason(tmp_path: Path) -> None:
    train, test = planted(0), planted(1)
    for data in (train, test):
        data.labels["vad"][:] = 0
    (tmp_path / "speakers.png").write_bytes(b"of an earlier run")
    found = paper.run(Compared(train, test, None, None, CONFIG), "hash", tmp_path, [], lambda _: None)
    assert not list(tmp_path.glob("speakers.*"))
    markdown = (tmp_path / "paper.md").read_text()
    assert "speakers.png" not in markdown
    (remark,) = (text for text in found.remarks if "speaker verification" in text)
    assert "no stretch has 0.75 s of voice" in remark
    assert f"- {remark}" in markdown


def test_classes_differ_in_colour() -> None:
    hues = [rgb_to_hsv(to_rgb(plots.colour(index))) for index in range(7)]
    for first, second in combinations(hues, 2):
        turn = abs(first[0] - second[0])
        assert min(turn, 1 - turn) > 0.03 or abs(first[1] - second[1]) > 0.3 or abs(first[2] - second[2]) > 0.3


def test_remarks_are_said_once() -> None:
    headers = ("a", "note")
    noted = with_notes(Sheet("T", headers, [("1", "why"), ("2", ""), ("3", "why"), ("4", "else")]))
    assert [cells[-1] for cells in noted.rows] == ["(1)", "", "(1)", "(2)"]
    assert noted.markdown().endswith("\n(1) why\n\n(2) else\n")
    assert with_notes(Sheet("T", headers, [("1", "")])).headers == ("a",)


@pytest.mark.slow
def test_a_network_whose_masks_never_change_gives_reasons(tmp_path: Path) -> None:
    train, test = planted(0), planted(1)
    for data in (train, test):
        data.observation.masks[:] = True
    found = paper.run(Compared(train, test, None, None, CONFIG), "hash", tmp_path, [], lambda _: None)
    assert "never change" in row(found, "vad", "masks").reason
    assert not found.coefficients.channels
    assert found.embedding is None
    assert row(found, "vad", "spectrum").score is not None
    assert any("t-SNE" in remark for remark in found.remarks)


def test_additions_count_flips_from_all_zero() -> None:
    bits = np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 0, 0]], dtype=np.bool_)
    assert additions_by_flips(bits, 5).tolist() == [10, 0, 10, 10]


def test_cost_of_the_paper_and_of_two_probes() -> None:
    masks = np.zeros((2, 3, 8), dtype=np.bool_)
    masks[1, 0, :4] = True
    kept = np.arange(24) < 6
    probes = [
        LinearProbe(VOICE_ACTIVITY, np.zeros((24, 1)), np.zeros(1), kept),
        LinearProbe(NOISE, np.zeros((24, 3)), np.zeros(3), kept & (np.arange(24) > 1)),
    ]
    published, full, flipped = cost_rows(masks, {"masks": probes}, CONFIG)
    assert published.additions_mean == 4242
    assert published.share_all_active == pytest.approx(0.00607, abs=5e-6)
    assert published.share_mean == pytest.approx(0.0093, abs=5e-6)
    assert (full.outputs, full.features, full.additions_max) == (4, 6, 6 + 3 * 4)
    # Frame 1 flips the bits 0 to 3: four of them for speech, the two that the noise class reads for three outputs.
    assert (flipped.additions_max, flipped.additions_mean) == (4 + 3 * 2, 5.0)
    assert flipped.share_mean == pytest.approx(5 / (CONFIG.macs(0) + 2 * CONFIG.macs_per_channel))


def test_coefficients_are_normalised_by_spread_and_by_output() -> None:
    weight = np.array([[1.0, 0.0], [-8.0, 0.0], [100.0, 0.0]])
    spread = np.array([0.5, 0.25, 0.0])
    assert normalised(weight, spread).tolist() == [[0.25, 0.0], [-1.0, 0.0], [0.0, 0.0]]


def test_strongest_channels_are_those_that_matter_over_all_tasks() -> None:
    def probe(name: str, weights: list[float]) -> LinearProbe:
        task = VOICE_ACTIVITY.model_copy(update={"name": name})
        return LinearProbe(task, np.array(weights)[:, None], np.zeros(1), np.array(weights) != 0)

    probes = {"a": probe("a", [4, 2, 0, 0]), "b": probe("b", [0, 20, 0, 40.0])}
    # Strengths: 1/2, (1/2 + 1/2) / 2, 0, 1/2.
    assert strongest_channels(probes, np.ones(4), 2).tolist() == [0, 1]
    strongest = strongest_channels(probes, np.ones(4))
    assert strongest.tolist() == [0, 1, 3]
    found = coefficients(probes, np.ones(4), strongest, np.array([True, True, False, True]), gated=2)
    assert [(c.block, c.channel) for c in found.channels] == [(0, 0), (0, 1), (1, 1)]
    assert [output.values for output in found.outputs] == [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]
    assert (found.by_block, found.informative_by_block) == ([2, 1], [2, 1])
    assert strongest_channels({}, np.ones(4)).tolist() == []


def test_purity_of_apart_and_of_mixed_classes() -> None:
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(400, 2)), np.repeat([0, 1], 200)
    everything = np.ones(400, dtype=np.bool_)
    mixed = purity(points, labels, everything)
    apart = purity(points + 100.0 * labels[:, None], labels, everything)
    assert apart == (1.0, 0.5)
    assert mixed is not None
    assert mixed[0] == pytest.approx(0.5, abs=0.06)
    assert purity(points, labels, np.arange(400) < 5) is None


def test_example_shows_where_most_happens() -> None:
    data = planted(0)
    voice = Recording(Path("a.wav"), "a", "CC0")
    sparse = tuple(Segment(voice, start, 200) for start in (0, 1500, 1750, 2000))
    quiet = Stream(data.stream.clean, data.stream.noise, data.stream.noisy, sparse, data.stream.noises)
    window = choose_window(ProbeData(quiet, data.observation, data.labels, data.tasks), seconds=9.0)
    assert window.stop - window.start == 562
    assert window.start <= 1500
    assert window.stop > 2000
    assert choose_window(data, seconds=1000.0) == slice(0, FRAMES)
