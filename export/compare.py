# SPDX-License-Identifier: Apache-2.0
"""What quantization costs: the float network and its bundle on the same audio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.export import reference, stft
from dyncp.export.bundle import Bundle
from dyncp.export.fold import FoldedNetwork
from dyncp.export.masks import unpack_masks
from dyncp.export.run import hops
from dyncp.train.config import HOP
from dyncp.train.metrics import pesq_wb, si_sdr, stoi

Pcm = NDArray[np.int16]

# A gate is informative where its standard deviation over all frames exceeds this (arXiv 2602.10666).
INFORMATIVE = 0.005


@dataclass(frozen=True)
class Quality:
    """Means over the pairs, each of noisy, float and int8 output against clean speech."""

    noisy: float
    float_output: float
    int8_output: float

    @property
    def loss(self) -> float:
        """What quantization takes away."""
        return self.float_output - self.int8_output


@dataclass(frozen=True)
class Comparison:
    """Shares are of mask bits, 0 to 1."""

    frames: int
    differing_bits: float
    informative_gates: int
    differing_informative_bits: float
    utilization_float: float
    utilization_int8: float
    si_sdr_db: float
    """int8 output against float output, mean over the pairs."""
    pesq: Quality
    stoi: Quality


def compare(folded: FoldedNetwork, bundle: Bundle, pairs: Sequence[tuple[Pcm, Pcm]]) -> Comparison:
    """Run both networks over `pairs` of (clean, noisy) PCM, aligned, each a whole number of hops.

    Raises AudioError for audio of other lengths, and for clean audio without speech, which PESQ cannot score.
    """
    float_masks, int8_masks, agreement = [], [], []
    scores = []
    for clean, noisy in pairs:
        wanted, active = enhance_float(folded, noisy)
        run = reference.run(bundle, noisy)
        float_masks.append(active)
        int8_masks.append(unpack_masks(run.masks, bundle.config))
        # The outputs lag by one hop.
        target, outputs = clean[:-HOP], (noisy[:-HOP], wanted[HOP:], run.output[HOP:])
        agreement.append(si_sdr(outputs[1], outputs[2]))
        scores.append([[metric(target, output) for output in outputs] for metric in (pesq_wb, stoi)])
    expected, actual = np.concatenate(float_masks), np.concatenate(int8_masks)
    informative = expected.std(axis=0) > INFORMATIVE
    differs = expected != actual
    pesq, intelligibility = (Quality(*map(float, means)) for means in np.mean(scores, axis=0))
    return Comparison(
        frames=len(expected),
        differing_bits=float(differs.mean()),
        informative_gates=int(informative.sum()),
        differing_informative_bits=float(differs[:, informative].mean()) if informative.any() else 0.0,
        utilization_float=float(expected.mean()),
        utilization_int8=float(actual.mean()),
        si_sdr_db=float(np.mean(agreement)),
        pesq=pesq,
        stoi=intelligibility,
    )


def enhance_float(folded: FoldedNetwork, pcm: Pcm) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The float network on int16 PCM: samples in [−1, 1), one hop late, and the gates, bool [n, blocks, N]."""
    spectrum = stft.analyse(hops(pcm))
    suppression, active = folded.forward(stft.compress(spectrum))
    return stft.synthesise(spectrum * suppression), active
