# SPDX-License-Identifier: Apache-2.0
"""What quantization costs: the float network and its bundle on the same audio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, FiniteFloat

from dyncp.export import reference, stft
from dyncp.export.bundle import Bundle
from dyncp.export.fold import FoldedNetwork
from dyncp.export.masks import unpack_masks
from dyncp.export.run import hops
from dyncp.train.config import HOP, StrictModel
from dyncp.train.metrics import pesq_wb, si_sdr, stoi
from dyncp.train.tasks import TAU

Pcm = NDArray[np.int16]

Share = Field(ge=0, le=1)


class Score(StrictModel):
    """Against the clean speech, means over the clips."""

    pesq: FiniteFloat = Field(description="PESQ-WB, MOS-LQO")
    stoi: FiniteFloat
    si_sdr: FiniteFloat = Field(description="dB")


class Comparison(StrictModel):
    """Shares are of mask bits, 0 to 1."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    clips: int = Field(ge=1)
    frames: int = Field(ge=1)
    noisy: Score
    float_: Score = Field(alias="float")
    int8: Score
    agreement_db: FiniteFloat = Field(description="SI-SDR of the int8 output against the float output, dB")
    differing_mask_bits: FiniteFloat = Share
    differing_informative_bits: FiniteFloat = Share
    informative_masks: int = Field(ge=0, description="gates whose standard deviation exceeds 0.005, float network")
    always_on: int = Field(ge=0, description="gates that never closed, float network")
    always_off: int = Field(ge=0, description="gates that never opened, float network")
    utilization: list[FiniteFloat] = Field(description="per block, int8 network")
    utilization_float: FiniteFloat = Share
    utilization_int8: FiniteFloat = Share
    macs_per_frame: FiniteFloat = Field(description="mean, int8 network")


def compare(folded: FoldedNetwork, bundle: Bundle, pairs: Sequence[tuple[Pcm, Pcm]]) -> Comparison:
    """Run both networks over `pairs` of (clean, noisy) PCM, aligned, each a whole number of hops.

    Raises AudioError for audio of other lengths, and for clean audio without speech, which PESQ cannot score.
    """
    from joblib import Parallel, delayed

    float_masks, int8_masks, macs, outputs = [], [], [], []
    for _, noisy in pairs:
        wanted, active = enhance_float(folded, noisy)
        run = reference.run(bundle, noisy)
        float_masks.append(active)
        int8_masks.append(unpack_masks(run.masks, bundle.config))
        macs.append(run.macs)
        # The outputs lag by one hop.
        outputs.append((noisy[:-HOP], wanted[HOP:], run.output[HOP:]))
    targets = [clean[:-HOP] for clean, _ in pairs]
    scored = Parallel(n_jobs=-1)(
        delayed(score)(target, heard) for target, three in zip(targets, outputs, strict=True) for heard in three
    )
    expected, actual = np.concatenate(float_masks), np.concatenate(int8_masks)
    informative = expected.std(axis=0) > TAU
    differs = expected != actual
    return Comparison(
        clips=len(pairs),
        frames=len(expected),
        noisy=mean_score(scored[0::3]),
        float_=mean_score(scored[1::3]),
        int8=mean_score(scored[2::3]),
        agreement_db=float(np.mean([si_sdr(wanted, got) for _, wanted, got in outputs])),
        differing_mask_bits=float(differs.mean()),
        differing_informative_bits=float(differs[:, informative].mean()) if informative.any() else 0.0,
        informative_masks=int(informative.sum()),
        always_on=int(expected.all(axis=0).sum()),
        always_off=int((~expected.any(axis=0)).sum()),
        utilization=actual.mean(axis=(0, 2)).tolist(),
        utilization_float=float(expected.mean()),
        utilization_int8=float(actual.mean()),
        macs_per_frame=float(np.concatenate(macs).mean()),
    )


def score(target: Pcm, heard: NDArray[np.generic]) -> Score:
    """All metrics of one clip."""
    return Score(pesq=pesq_wb(target, heard), stoi=stoi(target, heard), si_sdr=si_sdr(target, heard))


def mean_score(scores: Sequence[Score]) -> Score:
    return Score(**{name: float(np.mean([getattr(s, name) for s in scores])) for name in Score.model_fields})


def enhance_float(folded: FoldedNetwork, pcm: Pcm) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The float network on int16 PCM: samples in [−1, 1), one hop late, and the gates, bool [n, blocks, N]."""
    spectrum = stft.analyse(hops(pcm))
    suppression, active = folded.forward(stft.compress(spectrum))
    return stft.synthesise(spectrum * suppression), active
