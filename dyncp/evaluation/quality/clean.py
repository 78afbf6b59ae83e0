# SPDX-License-Identifier: Apache-2.0
"""What a network does to clean speech, where there is nothing to remove: PESQ forgives a wrong level, SI-SDR a gain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, FiniteFloat

from dyncp.base.audio import active_rms
from dyncp.base.config.reading import StrictModel
from dyncp.base.quality import Score
from dyncp.evaluation.quality.clip_scores import Pcm, enhance_float, score
from dyncp.evaluation.quality.compare import as_in_bundle, clip_results
from dyncp.export.integers import reference

if TYPE_CHECKING:
    from dyncp.export.formats.bundle import Bundle
    from dyncp.export.quantization.fold import FoldedNetwork
    from dyncp.train.mixing.pairs import Pair


class CleanScore(StrictModel):
    """Means over clips, of clean speech sent through a network, against that speech."""

    score: Score
    level_db: FiniteFloat = Field(description="level of active speech, out over in")


class CleanQuality(StrictModel):
    """`int8` is null where no bundle was given."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    clips: int = Field(ge=1)
    clean: Score = Field(description="of the speech itself: how much the metrics give at most")
    float_: CleanScore = Field(alias="float")
    int8: CleanScore | None


class _Clip(NamedTuple):
    clean: Score
    float_: CleanScore
    int8: CleanScore | None


def score_clean(
    folded: FoldedNetwork, bundle: Bundle | None, pairs: Sequence[Pair], progress: Callable[[int], object] | None = None
) -> CleanQuality:
    """The clean speech of `pairs` through both networks; `dyncp.evaluation.quality.compare.compare` has the terms."""
    folded = as_in_bundle(folded, bundle)
    clips = clip_results(partial(_score, folded, bundle), pairs, progress)
    integers = [clip.int8 for clip in clips if clip.int8 is not None]
    return CleanQuality(
        clips=len(clips),
        clean=Score.mean([clip.clean for clip in clips]),
        float_=_mean([clip.float_ for clip in clips]),
        int8=_mean(integers) if integers else None,
    )


def _score(folded: FoldedNetwork, bundle: Bundle | None, clean: Pcm, noisy: Pcm, snr_db: float) -> _Clip:
    """Of the clean speech alone: what it was mixed with is not heard."""
    del noisy, snr_db
    delay, rate = folded.config.framing.delay, folded.config.sample_rate
    target = clean[:-delay]

    def scored(heard: Pcm | NDArray[np.float64], full: float) -> CleanScore:
        ratio = active_rms(heard[delay:] / full, rate) / active_rms(target / 32768, rate)
        return CleanScore(score=score(target, heard[delay:], rate), level_db=20 * float(np.log10(ratio + 1e-9)))

    integers = None if bundle is None else scored(reference.run(bundle, clean).output, 32768)
    return _Clip(score(target, target, rate), scored(enhance_float(folded, clean)[0], 1), integers)


def _mean(scores: Sequence[CleanScore]) -> CleanScore:
    return CleanScore(
        score=Score.mean([each.score for each in scores]), level_db=float(np.mean([each.level_db for each in scores]))
    )
