# SPDX-License-Identifier: Apache-2.0
"""Speech quality of an estimate: thin wrappers, signals in [−1, 1) or int16, at 16 kHz where no rate is given.

All but DNSMOS compare with the clean reference, to which the estimate must be aligned: remove the enhancer's delay of
one hop before.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.framing import SAMPLE_RATE
from dyncp.base.errors import AudioError, NoSpeechError
from dyncp.base.sounds.rates import resampled

Signal = NDArray[Any]

# What DNSMOS hears at a time, and how far apart it starts to listen (the challenge's own script).
DNSMOS_SAMPLES = int(9.01 * SAMPLE_RATE)
DNSMOS_STEP = SAMPLE_RATE


class Opinion(NamedTuple):
    """Mean opinion scores of ITU-T P.835, 1 to 5: the speech, the background, all of it."""

    sig: float
    bak: float
    ovrl: float


def si_sdr(reference: Signal, estimate: Signal) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., SDR: half-baked or well done?, 2019)."""
    target, heard = _pair(reference, estimate)
    target, heard = target - target.mean(), heard - heard.mean()
    projected = target * (heard @ target) / (target @ target)
    distortion = float(np.square(heard - projected).sum())
    # A perfect estimate has no distortion at all; ε keeps it finite.
    return float(10 * np.log10(np.square(projected).sum() / (distortion + 1e-20) + 1e-20))


def pesq_wb(reference: Signal, estimate: Signal) -> float:
    """Wide-band PESQ (ITU-T P.862.2) at 16 kHz, MOS-LQO 1.04 to 4.64. Raises NoSpeechError where it finds none."""
    return _pesq(reference, estimate, SAMPLE_RATE, "wb")


def pesq_nb(reference: Signal, estimate: Signal) -> float:
    """Narrow-band PESQ (ITU-T P.862.1) at 8 kHz, MOS-LQO 1.02 to 4.55. Raises NoSpeechError where it finds none."""
    return _pesq(reference, estimate, SAMPLE_RATE // 2, "nb")


def pesq(reference: Signal, estimate: Signal, rate: int = SAMPLE_RATE) -> float:
    """Wide-band PESQ of 16 kHz and narrow-band PESQ of 8 kHz: two scales, which no table may mix."""
    return {SAMPLE_RATE: pesq_wb, SAMPLE_RATE // 2: pesq_nb}[rate](reference, estimate)


def _pesq(reference: Signal, estimate: Signal, rate: int, mode: str) -> float:
    from pesq import PesqError
    from pesq import pesq as score

    target, heard = _pair(reference, estimate)
    try:
        return float(score(rate, target.astype(np.float32), heard.astype(np.float32), mode))
    except (PesqError, ValueError) as error:
        raise NoSpeechError(f"PESQ cannot score this pair: {error}; it needs at least 0.25 s of speech") from None


def stoi(reference: Signal, estimate: Signal, extended: bool = False, rate: int = SAMPLE_RATE) -> float:
    """Short-time objective intelligibility (Taal et al., 2011), 0 to 1; `extended`: ESTOI (Jensen and Taal, 2016).

    Both hear 0.15 to 4.3 kHz, whatever the rate. Raises NoSpeechError for less than 0.4 s of speech, of which pystoi
    only warns, and scores 10⁻⁵.
    """
    from pystoi import stoi as pystoi

    target, heard = _pair(reference, estimate)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Not enough STFT frames", RuntimeWarning)
        try:
            return float(pystoi(target, heard, rate, extended=extended))
        except RuntimeWarning:
            raise NoSpeechError("STOI cannot score this pair; it needs at least 0.4 s of speech") from None


def dnsmos(signal: Signal, rate: int = SAMPLE_RATE) -> Opinion | None:
    """DNSMOS P.835 (Reddy et al., 2022), a network that predicts listeners' scores; None where it is not installed.

    As `speechmos.dnsmos.run`, without the second network that the latter runs besides: a signal shorter than 9.01 s
    is doubled until it is long enough, and the scores are means over windows one second apart. What is beyond [−1, 1]
    is clipped, as on its way to any listener. It knows 16 kHz alone: a signal of another rate is resampled, and one of
    8 kHz is scored as speech whose upper half is missing.
    """
    judge = _dnsmos_judge()
    if judge is None:
        return None
    heard = signal.astype(np.float64) / (32768 if signal.dtype == np.int16 else 1)
    if heard.ndim != 1 or not len(heard):
        raise AudioError(f"DNSMOS needs one channel with samples, not the shape {list(signal.shape)}")
    heard = resampled(heard.clip(-1, 1), SAMPLE_RATE, rate).clip(-1, 1)
    while len(heard) < DNSMOS_SAMPLES:
        heard = np.concatenate([heard, heard])
    windows = np.lib.stride_tricks.sliding_window_view(heard, DNSMOS_SAMPLES)[::DNSMOS_STEP]
    # The script counts whole seconds.
    windows = windows[: max(1, len(heard) // SAMPLE_RATE - DNSMOS_SAMPLES // SAMPLE_RATE)]
    scores = []
    for window in windows:
        raw = judge.onnx_sess.run(None, {"input_1": window[None].astype(np.float32)})[0][0]
        scores.append(judge.get_polyfit_val(*raw, False))
    return Opinion(*np.mean(scores, axis=0).tolist())


@cache
def _dnsmos_judge() -> Any:
    """The judge of `speechmos`, or None. The packages come with the extra `benchmark`."""
    try:
        from speechmos import dnsmos as package
    except ModuleNotFoundError:
        return None
    from importlib.resources import as_file, files

    models = files("speechmos") / "dnsmos_models"
    with as_file(models / "sig_bak_ovr.onnx") as primary, as_file(models / "model_v8.onnx") as p808:
        return package.DNSMOS(str(primary), str(p808))


def _pair(reference: Signal, estimate: Signal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as float64 in [−1, 1). Raises AudioError for lengths that differ and for a silent reference."""
    if reference.shape != estimate.shape or reference.ndim != 1:
        raise AudioError(f"reference {list(reference.shape)} and estimate {list(estimate.shape)} differ in shape")
    target, heard = (x / 32768 if x.dtype == np.int16 else x.astype(np.float64) for x in (reference, estimate))
    if not np.any(target):
        raise NoSpeechError("the reference is silent; a metric needs speech")
    return target, heard
