# SPDX-License-Identifier: Apache-2.0
"""Quality and voice activity against latency: networks whose frames differ, at one cost a second."""

from __future__ import annotations

import math

from pydantic import Field, FiniteFloat

from dyncp.base.config.framing import HOP, Framing
from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Comparison
from dyncp.base.quality import Score as Quality
from dyncp.base.scores import Score
from dyncp.base.tasks import VOICE_ACTIVITY
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import channel_bits
from dyncp.export.quantization.probes import integer_scores, quantize_probes
from dyncp.train.probes.data import ProbeData
from dyncp.train.probes.files import combine
from dyncp.train.probes.linear import fit

NETWORKS = ("delay4", "delay8", "delay16", "delay32")
"""Presets of equal multiply–accumulates a second."""

# The pole of voice activity at a hop of 16 ms; shorter hops get the same time constant.
POLE = 1


class DelayRun(StrictModel):
    """One network of one seed, in integers."""

    name: str
    seed: int = Field(ge=0)
    bundle_hash: str
    hop_ms: FiniteFloat
    latency_ms: FiniteFloat = Field(description="how old what is heard is: delay and hop")
    mmacs_mean: FiniteFloat = Field(description="million multiply–accumulates a second on the clips")
    mmacs_all_active: FiniteFloat = Field(description="the same with every channel active")
    utilization: FiniteFloat | None = Field(description="null without gates")
    int8: Quality
    int8_gain: Quality
    voice_activity: Score | None = Field(description="null where the gates tell nothing, as before training")


class DelayCurve(StrictModel):
    """Everything that `dyncp front --delay` measured."""

    clips: int = Field(ge=1)
    minutes: FiniteFloat = Field(description="of the streams that voice activity was fitted on, and scored on")
    noisy: Quality
    runs: list[DelayRun] = Field(description="by ascending latency")


def delay_run(name: str, seed: int, bundle: Bundle, comparison: Comparison, voice_activity: Score | None) -> DelayRun:
    """`comparison` is that of the network with `bundle`."""
    assert comparison.int8 is not None
    assert comparison.int8_gain is not None
    framing = bundle.config.framing
    per_second = framing.frames_per_second / 1e6
    return DelayRun(
        name=name,
        seed=seed,
        bundle_hash=bundle.identity,
        hop_ms=1000 / framing.frames_per_second,
        latency_ms=framing.latency_ms,
        mmacs_mean=comparison.macs_per_frame * per_second,
        mmacs_all_active=comparison.macs_all_active * per_second,
        utilization=comparison.utilization_int8,
        int8=comparison.int8,
        int8_gain=comparison.int8_gain,
        voice_activity=voice_activity,
    )


def pole_of(framing: Framing) -> int:
    """K of the smoothing 2^-K that lasts as long as that of voice activity at a hop of 16 ms."""
    return max(0, POLE + round(math.log2(HOP / framing.hop)))


def voice_activity_of(bundle: Bundle, train: ProbeData, test: ProbeData) -> Score:
    """Fitted on the masks of one stream, scored in integers on another. Raises ProbeError as `fit` does."""
    task = VOICE_ACTIVITY.model_copy(update={"smoothing": pole_of(bundle.config.framing)})
    values = train.observation.masks.reshape(train.observation.frames, -1)
    probe = fit(values, train.labels[task.name], train.used(task), task, balanced=True)
    probes = quantize_probes(combine([probe], channel_bits(bundle.config).reshape(-1)), 16)
    return integer_scores(probes, bundle.config, test)[task.name]
