# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the front: interpolation between static networks, means and spread over seeds, table and figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from dyncp.base.quality import Score
from dyncp.commands.fronts.results import HEADERS, draw_front, front_sheet
from dyncp.evaluation.front.candidates import CANDIDATES
from dyncp.evaluation.front.points import Front, FrontRun, above, front_points

NOISY = Score(pesq=1.2, stoi=0.7, estoi=0.5, si_sdr=2)


def gain(pesq: float) -> Score:
    return Score(pesq=pesq, stoi=pesq / 2, estoi=pesq / 4, si_sdr=10 * pesq)


def trained(name: str, macs: float, pesq: float, seed: int = 1) -> FrontRun:
    candidate = next(candidate for candidate in CANDIDATES if candidate.name == name)
    enhanced = Score.combine([NOISY, gain(pesq)], sum)
    return FrontRun(
        name=name,
        site=candidate.site,
        hidden=candidate.hidden or 256,
        target_utilization=candidate.target,
        utilization=candidate.target,
        seed=seed,
        macs_mean=macs,
        macs_p95=macs + 5000,
        macs_all_active=700_000,
        weight_bytes=2048,
        float_=enhanced,
        int8=enhanced,
        float_gain=gain(pesq),
        int8_gain=gain(pesq),
    )


RUNS = [
    trained("static178", 400_000, 0.52),
    trained("static56", 200_000, 0.3),
    trained("static56", 200_000, 0.1, seed=2),
    trained("static84", 300_000, 0.4),
    trained("hidden0.25", 350_000, 0.6),
    trained("hidden0.1", 150_000, 0.2),
    trained("output0.5", 250_000, 0.2),
]


@pytest.mark.parametrize(
    ("macs", "front"), [(100, 1.0), (150, 1.5), (200, 2.0), (275, 1.25), (300, 1.0), (99.9, None), (300.1, None)]
)
def test_the_front_is_a_line_between_static_networks_and_ends_with_them(macs: float, front: float | None) -> None:
    distance = above(macs, gain(3.0), [(100, gain(1.0)), (200, gain(2.0)), (300, gain(1.0))])
    if front is None:
        assert distance is None
    else:
        assert distance is not None
        assert distance.model_dump() == pytest.approx(gain(3.0 - front).model_dump())


def test_without_static_networks_there_is_no_front() -> None:
    assert above(100, gain(1.0), []) is None


def test_points_are_means_over_seeds_in_order_of_cost() -> None:
    points = {point.name: point for point in front_points(RUNS)}
    assert list(points) == ["hidden0.1", "static56", "output0.5", "static84", "hidden0.25", "static178"]
    static = points["static56"]
    assert (static.seeds, static.above_front) == (2, None)
    assert static.int8_gain.pesq == pytest.approx(0.2)
    assert static.spread is not None
    assert static.spread.pesq == pytest.approx(0.2 / 2**0.5)
    assert points["static84"].spread is None
    assert points["hidden0.1"].above_front is None, "cheaper than any static network"
    # Between the mean of static56's seeds and static84: 0.3; between static84 and static178: 0.46.
    for name, distance in (("output0.5", 0.2 - 0.3), ("hidden0.25", 0.6 - 0.46)):
        found = points[name].above_front
        assert found is not None
        assert found.model_dump() == pytest.approx(gain(distance).model_dump())


def test_table_and_figure(tmp_path: Path) -> None:
    front = Front(steps=500, clips=7, noisy=NOISY, runs=RUNS, points=front_points(RUNS))
    sheet = front_sheet(front)
    assert {len(row) for row in sheet.rows} == {len(HEADERS)}
    rows = {row[0]: row for row in sheet.rows}
    assert list(rows) == ["noisy", *(point.name for point in front.points)]
    assert rows["hidden0.25"][1:7] == ("1", "25.0%", "350,000", "355,000", "700,000", "2")
    assert rows["hidden0.25"][7:] == ("1.800", "1.800", "0.650", "8.00", "–", "+0.140", "+0.035", "+1.40", "–")
    assert rows["static56"][8:] == ("1.400 ± 0.141", "0.550 ± 0.035", "4.00 ± 1.41", *["–"] * 5)
    draw_front(front, tmp_path)
    assert (tmp_path / "front.png").stat().st_size > 5000
    drawn = (tmp_path / "front.svg").read_text()
    for text in ("gates on block outputs", "gates on conv channels", "static", "0.25", "178", "ESTOI, gain"):
        assert f">{text}<" in drawn
