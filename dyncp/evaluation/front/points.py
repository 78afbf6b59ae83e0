# SPDX-License-Identifier: Apache-2.0
"""Quality against cost: every trained candidate's scores, and how far each lies above the static networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from pydantic import ConfigDict, Field, FiniteFloat

from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Comparison, Score
from dyncp.evaluation.front.candidates import Run, Site
from dyncp.export.formats.bundle import Bundle

Share = Field(ge=0, le=1)


class FrontRun(StrictModel):
    """One candidate trained with one seed; MACs and utilization are the integer network's."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str
    site: Site
    hidden: int = Field(ge=1, description="conv channels per block")
    target_utilization: FiniteFloat | None = Field(description="null without gates")
    utilization: FiniteFloat | None = Share
    seed: int = Field(ge=0)
    macs_mean: FiniteFloat = Field(description="per frame")
    macs_p95: FiniteFloat
    macs_all_active: int = Field(ge=1)
    weight_bytes: int = Field(ge=1, description="int8 weights of all layers, gates included")
    float_: Score = Field(alias="float")
    int8: Score
    float_gain: Score
    int8_gain: Score


class FrontPoint(StrictModel):
    """One candidate, the mean over its seeds; scores are the integer network's."""

    name: str
    site: Site
    seeds: int = Field(ge=1)
    macs_mean: FiniteFloat
    int8_gain: Score
    spread: Score | None = Field(description="standard deviation of int8_gain over the seeds; null with one")
    above_front: Score | None = Field(
        description="int8 − static front at equal mean MACs; null for static networks and beyond the front's ends"
    )


class Front(StrictModel):
    """Everything that `dyncp front` measured."""

    steps: int = Field(ge=1, description="of the dense network, and again of every candidate")
    clips: int = Field(ge=1)
    noisy: Score
    runs: list[FrontRun]
    points: list[FrontPoint] = Field(description="by ascending mean MACs")


def front_run(run: Run, bundle: Bundle, comparison: Comparison) -> FrontRun:
    """`comparison` is that of the run's network with `bundle`."""
    assert comparison.int8 is not None
    assert comparison.int8_gain is not None
    return FrontRun(
        name=run.candidate.name,
        site=run.candidate.site,
        hidden=bundle.config.hidden,
        target_utilization=run.candidate.target,
        utilization=comparison.utilization_int8,
        seed=run.seed,
        macs_mean=comparison.macs_per_frame,
        macs_p95=comparison.macs_p95,
        macs_all_active=comparison.macs_all_active,
        weight_bytes=sum(t.nbytes for name, t in bundle.tensors.items() if name.endswith(".weight")),
        float_=comparison.float_,
        int8=comparison.int8,
        float_gain=comparison.float_gain,
        int8_gain=comparison.int8_gain,
    )


class Measured(Protocol):
    """One network of one seed: what a point is made of."""

    @property
    def name(self) -> str: ...
    @property
    def site(self) -> Site: ...
    @property
    def macs_mean(self) -> float: ...
    @property
    def int8_gain(self) -> Score: ...


def front_points(runs: Sequence[Measured]) -> list[FrontPoint]:
    """One point for each candidate, by ascending mean MACs, with its distance from the static front."""
    groups: dict[str, list[Measured]] = {}
    for run in runs:
        groups.setdefault(run.name, []).append(run)
    points = sorted((_mean(group) for group in groups.values()), key=lambda point: point.macs_mean)
    static = [(point.macs_mean, point.int8_gain) for point in points if point.site == "none"]
    return [
        point
        if point.site == "none"
        else point.model_copy(update={"above_front": above(point.macs_mean, point.int8_gain, static)})
        for point in points
    ]


def above(macs: float, score: Score, front: Sequence[tuple[float, Score]]) -> Score | None:
    """`score` less the front's at `macs`, on straight lines between its (MACs, score), which ascend in MACs.

    None where the front does not reach: there it would have to be guessed.
    """
    costs = [cost for cost, _ in front]
    if not costs or not costs[0] <= macs <= costs[-1]:
        return None
    return score - Score.combine([s for _, s in front], lambda values: float(np.interp(macs, costs, values)))


def _mean(group: Sequence[Measured]) -> FrontPoint:
    gains = [run.int8_gain for run in group]
    return FrontPoint(
        name=group[0].name,
        site=group[0].site,
        seeds=len(group),
        macs_mean=float(np.mean([run.macs_mean for run in group])),
        int8_gain=Score.mean(gains),
        spread=_deviation(gains) if len(gains) > 1 else None,
        above_front=None,
    )


def _deviation(scores: Sequence[Score]) -> Score:
    return Score.combine(scores, lambda values: float(np.std(values, ddof=1)))
