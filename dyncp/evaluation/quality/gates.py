# SPDX-License-Identifier: Apache-2.0
"""What the gates' decisions cost in sound: the float network with its own, told where speech is, and all open.

A gate errs twice: where it misses speech, which is lost, and where it opens at rest, which costs work and lets noise
through. A network whose gates are told where speech is shows how much better decisions could become.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from dyncp.base.config.reading import StrictModel
from dyncp.base.errors import ConfigError
from dyncp.base.quality import Score
from dyncp.evaluation.quality.clip_scores import Pcm, enhance_float, score
from dyncp.evaluation.quality.compare import clip_results
from dyncp.train.targets.frames import near_speech

if TYPE_CHECKING:
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.mixing.pairs import Pair

Gates = Literal["decided", "told", "open"]
GATES: tuple[Gates, ...] = ("decided", "told", "open")


class GateRow(StrictModel):
    """Means over the clips."""

    gates: Gates = Field(
        description="the network's own; all channels near speech and, elsewhere, those that never close; all channels"
    )
    score: Score
    speech: FiniteFloat = Field(description="utilization in frames within 64 ms of speech")
    rest: FiniteFloat = Field(description="… in all others")


class GateQuality(StrictModel):
    """What `dyncp evaluate --gates` tells."""

    clips: int = Field(ge=1)
    noisy: Score
    rows: list[GateRow]


class _Enhanced(NamedTuple):
    score: Score
    active: NDArray[np.float64]
    """Utilization summed over the frames near speech and over all others, [2]."""


class _Clip(NamedTuple):
    noisy: Score
    frames: NDArray[np.int64]
    """Near speech, and others: [2]."""
    enhanced: list[_Enhanced]


def score_gates(
    folded: FoldedNetwork, pairs: Sequence[Pair], progress: Callable[[int], object] | None = None
) -> GateQuality:
    """Raises ConfigError for a network without gates, or with a cap that all channels would exceed."""
    if not folded.config.gated or folded.config.capped:
        raise ConfigError("--gates: needs a network with gates and without a cap")
    clips = clip_results(partial(_score, folded), pairs, progress)
    frames = np.sum([clip.frames for clip in clips], axis=0)
    rows = []
    for k, gates in enumerate(GATES):
        each = [clip.enhanced[k] for clip in clips]
        speech, rest = np.sum([one.active for one in each], axis=0) / np.maximum(frames, 1)
        rows.append(GateRow(gates=gates, score=Score.mean([one.score for one in each]), speech=speech, rest=rest))
    return GateQuality(clips=len(clips), noisy=Score.mean([clip.noisy for clip in clips]), rows=rows)


def never_closed(folded: FoldedNetwork) -> NDArray[np.bool_]:
    """Which gates are open whatever is heard, [blocks, N]: their score is a positive constant."""
    config = folded.config
    scores = [folded.layers[f"blocks.{i}.gate.score"] for i in range(config.blocks) if config.has_gate(i)]
    constant = [(layer.weight == 0).all(axis=1) & (layer.bias > 0) for layer in scores]
    return np.concatenate(constant).reshape(config.blocks, config.gated)


def _score(folded: FoldedNetwork, clean: Pcm, noisy: Pcm, snr_db: float) -> _Clip:
    del snr_db
    framing, rate = folded.config.framing, folded.config.sample_rate
    target = clean[: -framing.delay]
    speech = near_speech(np.divide(clean, 32768, dtype=np.float32), framing)
    told = speech[:, None, None] | never_closed(folded)
    stand_ins: dict[Gates, NDArray[np.bool_] | None] = {
        "decided": None,
        "told": told,
        "open": np.ones_like(told),
    }
    enhanced = []
    for gates in GATES:
        heard, active = enhance_float(folded, noisy, stand_ins[gates])
        share = active.mean(axis=(1, 2))
        by_kind = np.array([share[speech].sum(), share[~speech].sum()])
        enhanced.append(_Enhanced(score(target, heard[framing.delay :], rate), by_kind))
    frames = np.array([speech.sum(), (~speech).sum()])
    return _Clip(score(target, noisy[: -framing.delay], rate), frames, enhanced)
