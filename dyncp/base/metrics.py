# SPDX-License-Identifier: Apache-2.0
"""Speech quality of an estimate against the clean reference: thin wrappers, 16 kHz, signals in [−1, 1) or int16.

The two signals must be aligned: remove the enhancer's delay of one hop before.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config import SAMPLE_RATE
from dyncp.base.errors import AudioError, NoSpeechError

Signal = NDArray[Any]


def si_sdr(reference: Signal, estimate: Signal) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., SDR: half-baked or well done?, 2019)."""
    target, heard = _pair(reference, estimate)
    target, heard = target - target.mean(), heard - heard.mean()
    projected = target * (heard @ target) / (target @ target)
    distortion = float(np.square(heard - projected).sum())
    # A perfect estimate has no distortion at all; ε keeps it finite.
    return float(10 * np.log10(np.square(projected).sum() / (distortion + 1e-20) + 1e-20))


def pesq_wb(reference: Signal, estimate: Signal) -> float:
    """Wide-band PESQ (ITU-T P.862.2), MOS-LQO 1.04 to 4.64. Raises NoSpeechError where it finds none."""
    from pesq import PesqError, pesq

    target, heard = _pair(reference, estimate)
    try:
        return float(pesq(SAMPLE_RATE, target.astype(np.float32), heard.astype(np.float32), "wb"))
    except (PesqError, ValueError) as error:
        raise NoSpeechError(f"PESQ cannot score this pair: {error}; it needs at least 0.25 s of speech") from None


def stoi(reference: Signal, estimate: Signal, extended: bool = False) -> float:
    """Short-time objective intelligibility (Taal et al., 2011), 0 to 1; `extended`: ESTOI (Jensen and Taal, 2016).

    Raises NoSpeechError for less than 0.4 s of speech, of which pystoi only warns, and scores 10⁻⁵.
    """
    from pystoi import stoi as pystoi

    target, heard = _pair(reference, estimate)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Not enough STFT frames", RuntimeWarning)
        try:
            return float(pystoi(target, heard, SAMPLE_RATE, extended=extended))
        except RuntimeWarning:
            raise NoSpeechError("STOI cannot score this pair; it needs at least 0.4 s of speech") from None


def _pair(reference: Signal, estimate: Signal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as float64 in [−1, 1). Raises AudioError for lengths that differ and for a silent reference."""
    if reference.shape != estimate.shape or reference.ndim != 1:
        raise AudioError(f"reference {list(reference.shape)} and estimate {list(estimate.shape)} differ in shape")
    target, heard = (x / 32768 if x.dtype == np.int16 else x.astype(np.float64) for x in (reference, estimate))
    if not np.any(target):
        raise NoSpeechError("the reference is silent; a metric needs speech")
    return target, heard
