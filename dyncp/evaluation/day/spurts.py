# SPDX-License-Identifier: Apache-2.0
"""What a listener gets of a day: the quality of its talk spurts, and the noise that is left where nobody talks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.audio import Pcm
from dyncp.base.errors import AudioError
from dyncp.base.quality import Score
from dyncp.evaluation.quality.clip_scores import score
from dyncp.firmware.report.contents.day import SnrRow, SpurtQuality
from dyncp.train.day.day import Day, Stretch
from dyncp.train.day.recipe import CONDITIONS, SPEECH

# Less speech than this is not scored: PESQ and ESTOI need a sentence.
SHORTEST_S = 2.0
SNR_BIN_DB = 15.0
# Rounding to int16 leaves this much noise power even where the output is zero, in steps squared.
ROUNDING = 1 / 12


@dataclass(frozen=True)
class _Spurts:
    """The spurts of one conversation, joined: clean, noisy and enhanced speech, aligned."""

    snr_db: float
    clean: Pcm
    noisy: Pcm
    enhanced: Pcm


def spurt_quality(day: Day, enhanced: Pcm, progress: Callable[[int, int], object] | None = None) -> SpurtQuality:
    """Score `enhanced` [T · 16 ms], the day's noisy audio enhanced and aligned, in parallel over the cores.

    `progress` is told how many conversations are scored, and how many there are. Raises AudioError where no
    conversation has enough speech.
    """
    from joblib import Parallel, delayed, parallel_config

    conversations = [stretch for stretch in day.stretches if stretch.kind == "conversation"]
    spoken = [_joined(day, enhanced, stretch) for stretch in conversations]
    rate = day.stream.framing.rate
    scored = [spurts for spurts in spoken if len(spurts.clean) >= SHORTEST_S * rate]
    if not scored:
        raise AudioError(f"the day holds no conversation with {SHORTEST_S:g} s of speech; use more --minutes")
    calls = (delayed(_scores)(s.clean, s.noisy, s.enhanced, rate) for s in scored)
    scores: list[tuple[Score, Score]] = []
    with parallel_config("loky", n_jobs=-1, inner_max_num_threads=1):
        for pair in Parallel(return_as="generator")(calls):
            scores.append(pair)
            if progress is not None:
                progress(len(scores), len(scored))
    noisy, int8 = _means(scores)
    return SpurtQuality(
        stretches=len(scored),
        left_out=len(spoken) - len(scored),
        seconds=sum(len(spurts.clean) for spurts in scored) / rate,
        noisy=noisy,
        int8=int8,
        gain=int8 - noisy,
        by_snr=_by_snr([spurts.snr_db for spurts in scored], scores),
    )


def noise_left_db(day: Day, enhanced: Pcm, condition: int) -> float | None:
    """Level of `enhanced` over the input in a condition without speech, mean of the stretches' dB.

    None in speech and in silence, where there is no noise. The hop after a spurt is left out: it holds its end.
    """
    if condition in (SPEECH, CONDITIONS.index("silence")):
        return None
    chosen = day.condition == condition
    chosen[1:] &= day.condition[:-1] != SPEECH
    before, after = (_powers(pcm, day.stream.framing.hop) for pcm in (day.stream.noisy, enhanced))
    ratios = []
    for stretch in day.stretches:
        frames = np.flatnonzero(chosen[stretch.frames]) + stretch.start
        # A stretch of noise may itself pause: what is no noise cannot be left.
        if frames.size and before[frames].mean() > ROUNDING:
            ratios.append(10 * np.log10(max(after[frames].mean(), ROUNDING) / before[frames].mean()))
    return float(np.mean(ratios)) if ratios else None


def _powers(pcm: Pcm, hop: int) -> NDArray[np.float64]:
    """Mean square of each hop, [T]."""
    return np.asarray(np.square(pcm.astype(np.float64)).reshape(-1, hop).mean(axis=1))


def _joined(day: Day, enhanced: Pcm, stretch: Stretch) -> _Spurts:
    assert stretch.snr_db is not None
    spoken = day.condition[stretch.frames] == SPEECH

    def cut(pcm: Pcm) -> Pcm:
        return np.asarray(pcm.reshape(-1, day.stream.framing.hop)[stretch.frames][spoken].reshape(-1))

    return _Spurts(stretch.snr_db, cut(day.stream.clean), cut(day.stream.noisy), cut(enhanced))


def _scores(clean: Pcm, noisy: Pcm, enhanced: Pcm, rate: int) -> tuple[Score, Score]:
    return score(clean, noisy, rate), score(clean, enhanced, rate)


def _means(scores: Sequence[tuple[Score, Score]]) -> tuple[Score, Score]:
    return Score.mean([noisy for noisy, _ in scores]), Score.mean([int8 for _, int8 in scores])


def _by_snr(snr_db: Sequence[float], scores: Sequence[tuple[Score, Score]]) -> list[SnrRow]:
    bins: dict[float, list[tuple[Score, Score]]] = {}
    # Bins begin at −5 dB, where the day does.
    for value, pair in zip(snr_db, scores, strict=True):
        bins.setdefault((value + 5) // SNR_BIN_DB * SNR_BIN_DB - 5, []).append(pair)
    rows = []
    for low in sorted(bins):
        noisy, int8 = _means(bins[low])
        rows.append(SnrRow(low_db=low, high_db=low + SNR_BIN_DB, stretches=len(bins[low]), noisy=noisy, int8=int8))
    return rows
