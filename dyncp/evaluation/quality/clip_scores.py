# SPDX-License-Identifier: Apache-2.0
"""One clip through both networks, and its scores: the unit of work that comparisons spread over cores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.metrics import dnsmos, pesq, si_sdr, stoi
from dyncp.base.quality import Score
from dyncp.export.formats.bundle import Bundle
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.run import hops
from dyncp.export.quantization.fold import FoldedNetwork
from dyncp.export.transforms import stft

Pcm = NDArray[np.int16]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Gates:
    """Of one network on one clip: frames in which each gate was open, [blocks, N], and the MACs of every frame, [n]."""

    opened: Counts
    macs: Counts


@dataclass(frozen=True)
class IntegerClip:
    """Of the integer network; `differing`: frames in which a gate was not as in the float network, [blocks, N]."""

    score: Score
    gates: Gates
    agreement_db: float
    differing: Counts


@dataclass(frozen=True)
class ClipScores:
    """Everything that a comparison keeps of one clip."""

    snr_db: float
    noisy: Score
    float_: Score
    float_gates: Gates
    int8: IntegerClip | None


def score_clip(folded: FoldedNetwork, bundle: Bundle | None, clean: Pcm, noisy: Pcm, snr_db: float) -> ClipScores:
    """Enhance and score int16 PCM [n · hop], `clean` and `noisy` aligned; without `bundle`, by the float network alone.

    Raises AudioError for audio of another length, and for clean audio without speech, which PESQ cannot score.
    """
    wanted, active = enhance_float(folded, noisy)
    # The outputs lag: the metrics hear the same speech in all.
    delay, rate = folded.config.framing.delay, folded.config.sample_rate
    target, wanted = clean[:-delay], wanted[delay:]
    gates = Gates(active.sum(axis=0), folded.config.macs_by_frame(active.sum(axis=(1, 2))))
    int8 = None
    if bundle is not None:
        run = reference.run(bundle, noisy)
        heard, bits = run.output[delay:], unpack_masks(run.masks, folded.config)
        int8 = IntegerClip(
            score=score(target, heard, rate),
            gates=Gates(bits.sum(axis=0), run.macs),
            agreement_db=si_sdr(wanted, heard),
            differing=(bits != active).sum(axis=0),
        )
    before, after = score(target, noisy[:-delay], rate), score(target, wanted, rate)
    return ClipScores(snr_db, before, after, gates, int8)


def score(target: Pcm, heard: NDArray[np.generic], rate: int = SAMPLE_RATE) -> Score:
    """All metrics of one signal; DNSMOS where it is installed."""
    opinion = dnsmos(heard, rate)
    return Score(
        pesq=pesq(target, heard, rate),
        stoi=stoi(target, heard, rate=rate),
        estoi=stoi(target, heard, extended=True, rate=rate),
        si_sdr=si_sdr(target, heard),
        **({} if opinion is None else opinion._asdict()),
    )


def enhance_float(
    folded: FoldedNetwork, pcm: Pcm, gates: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The float network on int16 PCM: samples in [−1, 1), late by its delay, and the gates, bool [n, blocks, N].

    With `gates`, those instead of what the network decides.
    """
    framing = folded.config.framing
    spectrum = stft.analyse(hops(pcm, framing.hop), framing)
    suppression, active = folded.forward(stft.compress(spectrum, folded.config.bands), gates=gates)
    return stft.synthesise(spectrum * suppression, framing), active
