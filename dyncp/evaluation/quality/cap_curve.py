# SPDX-License-Identifier: Apache-2.0
"""Quality against the cap: the integer network with fewer and fewer channels allowed, per block and per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from dyncp.base.config.network import NetworkConfig
from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Score
from dyncp.evaluation.quality.clip_scores import score
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.export.integers.caps import Caps

Pcm = NDArray[np.int16]
Per = Literal["block", "frame"]

# Of a block's channels, where no caps are named.
SHARES = (1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8, 1 / 16)


class CapRow(StrictModel):
    """One cap; quality is that of the integer network, mean over the clips, and MACs are those of a frame."""

    per: Per | None = Field(description="what the cap holds for; null without a cap")
    channels: int = Field(ge=1, description="most active channels per block or frame; without a cap, all of a frame")
    score: Score
    macs_mean: FiniteFloat
    macs_max: int = Field(description="of the dearest frame of these clips")
    macs_bound: int = Field(description="no frame of any audio takes more")


class CapCurve(StrictModel):
    clips: int = Field(ge=1)
    frames: int = Field(ge=1)
    noisy: Score
    rows: list[CapRow] = Field(description="without a cap, then per block and per frame, from the loosest down")


@dataclass(frozen=True)
class _Clip:
    """What one clip leaves behind: scores, noisy first, and the MACs of its frames, [n], under every setting."""

    scores: list[Score]
    macs: list[NDArray[np.int64]]


def default_caps(config: NetworkConfig) -> list[int]:
    """Channels per block."""
    return sorted({max(1, round(share * config.gated)) for share in SHARES}, reverse=True)


def cap_curve(bundle: Bundle, pairs: Sequence[tuple[Pcm, Pcm]], channels: Sequence[int]) -> CapCurve:
    """Score every cap on `pairs` of (clean, noisy) PCM, aligned, each a whole number of hops.

    `channels` are caps per block; those per frame allow as many, times the blocks, wherever they are. The bundle's own
    cap plays no part. Raises AudioError for audio of other lengths, and for clean audio without speech.
    """
    from joblib import Parallel, delayed, parallel_config

    config = bundle.config
    settings = _settings(config, sorted(set(channels), reverse=True))
    caps = [_caps(config, per, count) for per, count in settings]
    with parallel_config("loky", n_jobs=-1, inner_max_num_threads=1):
        clips = Parallel()(delayed(_clip)(bundle, pair, caps) for pair in pairs)
    macs = [np.concatenate([clip.macs[i] for clip in clips]) for i in range(len(settings))]
    rows = [
        CapRow(
            per=per,
            channels=count,
            score=Score.mean([clip.scores[i + 1] for clip in clips]),
            macs_mean=float(macs[i].mean()),
            macs_max=int(macs[i].max()),
            macs_bound=config.macs_with(count * (config.blocks if per == "block" else 1)),
        )
        for i, (per, count) in enumerate(settings)
    ]
    noisy = Score.mean([clip.scores[0] for clip in clips])
    return CapCurve(clips=len(pairs), frames=len(macs[0]), noisy=noisy, rows=rows)


def _settings(config: NetworkConfig, channels: Sequence[int]) -> list[tuple[Per | None, int]]:
    everything: list[tuple[Per | None, int]] = [(None, config.blocks * config.gated)]
    return everything + [("block", n) for n in channels] + [("frame", n * config.blocks) for n in channels]


def _caps(config: NetworkConfig, per: Per | None, count: int) -> Caps:
    return Caps(count if per == "block" else config.gated, count if per == "frame" else config.blocks * config.gated)


def _clip(bundle: Bundle, pair: tuple[Pcm, Pcm], caps: Sequence[Caps]) -> _Clip:
    clean, noisy = pair
    runs = [reference.run(bundle, noisy, caps=setting) for setting in caps]
    # The outputs lag.
    delay, rate = bundle.config.framing.delay, bundle.config.sample_rate
    heard = [noisy[:-delay], *(run.output[delay:] for run in runs)]
    return _Clip([score(clean[:-delay], signal, rate) for signal in heard], [run.macs for run in runs])
