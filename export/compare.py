# SPDX-License-Identifier: Apache-2.0
"""How well a network enhances, and what quantization costs it: the float network and its bundle on the same audio."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, FiniteFloat

from dyncp.export.bundle import Bundle
from dyncp.export.clip_scores import ClipScores, Gates, Pcm, Score, score_clip
from dyncp.export.clip_scores import enhance_float as enhance_float
from dyncp.export.fold import FoldedNetwork
from dyncp.train.config import StrictModel
from dyncp.train.errors import BundleError
from dyncp.train.tasks import TAU

if TYPE_CHECKING:
    from dyncp.train.pairs import Pair

Shares = NDArray[np.float64]

SNR_BIN_DB = 5

Share = Field(ge=0, le=1)


class Scores(StrictModel):
    """Means over clips, against the clean speech; `int8` is null where no bundle was given."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    clips: int = Field(ge=1)
    noisy: Score
    float_: Score = Field(alias="float")
    int8: Score | None
    float_gain: Score = Field(description="float − noisy; of si_sdr, the SI-SDR improvement")
    int8_gain: Score | None = Field(description="int8 − noisy")


class SnrBin(Scores):
    """The clips whose SNR lies in [low, high)."""

    low_db: int
    high_db: int


class Comparison(Scores):
    """Shares are of mask bits, 0 to 1, null without gates; what compares with int8 is null without a bundle."""

    frames: int = Field(ge=1)
    by_snr: list[SnrBin] = Field(description="bins of 5 dB, ascending, those with clips")
    agreement_db: FiniteFloat | None = Field(description="SI-SDR of the int8 output against the float output, dB")
    differing_mask_bits: FiniteFloat | None = Share
    differing_informative_bits: FiniteFloat | None = Share
    informative_masks: int = Field(ge=0, description="gates whose standard deviation exceeds 0.005, float network")
    always_on: int = Field(ge=0, description="gates that never closed, float network")
    always_off: int = Field(ge=0, description="gates that never opened, float network")
    utilization: list[FiniteFloat] = Field(description="per block, int8 network, else float; empty without gates")
    utilization_float: FiniteFloat | None = Share
    utilization_int8: FiniteFloat | None = Share
    macs_per_frame: FiniteFloat = Field(description="mean, int8 network, else float")
    macs_p95: FiniteFloat = Field(description="95th percentile over frames, int8 network, else float")
    macs_all_active: int = Field(ge=1, description="of a frame with every channel active")
    macs_bound: int = Field(ge=1, description="no frame takes more: macs_all_active, or less by the network's own cap")


def compare(
    folded: FoldedNetwork,
    bundle: Bundle | None,
    pairs: Sequence[Pair],
    progress: Callable[[int], object] | None = None,
) -> Comparison:
    """Run both networks over `pairs`, aligned, each a whole number of hops, in parallel over the cores.

    Without `bundle`, the float network alone. The integers run in the NumPy reference: beside the metrics its time
    hardly counts, and it needs no compiler. `progress` is told the clips that each step has added. Raises BundleError
    for a bundle of another shape than the network, AudioError for audio that is not a positive whole number of hops,
    and for clean audio without speech, which PESQ cannot score.
    """
    if bundle is not None and bundle.config != folded.config:
        raise BundleError("bundle: its network is not the checkpoint's; export the checkpoint that is evaluated")
    results = []
    for result in _in_parallel(partial(score_clip, folded, bundle), pairs):
        results.append(result)
        if progress is not None:
            progress(1)
    return _summary(folded, results)


def _in_parallel(work: Callable[[Pcm, Pcm, float], ClipScores], pairs: Sequence[Pair]) -> Iterator[ClipScores]:
    """Results in order as they come; one process per core and one thread in each, so that none waits for another."""
    from joblib import Parallel, delayed, parallel_config

    # Arrays and a number, not pairs: a process that knew what a pair is would first load torch.
    calls = (delayed(work)(pair.clean, pair.noisy, pair.snr_db) for pair in pairs)
    with parallel_config("loky", n_jobs=-1, inner_max_num_threads=1):
        yield from Parallel(return_as="generator")(calls)


def _summary(folded: FoldedNetwork, results: Sequence[ClipScores]) -> Comparison:
    config = folded.config
    float_gates = [result.float_gates for result in results]
    int8 = [result.int8 for result in results if result.int8 is not None]
    gates = [clip.gates for clip in int8] or float_gates
    macs = np.concatenate([clip.macs for clip in gates])
    frames = len(macs)
    share = _open_share(float_gates, frames)
    # The standard deviation of a bit that is 1 in a share p of the frames.
    informative = np.sqrt(share * (1 - share)) > TAU
    differing = np.sum([clip.differing for clip in int8], axis=0) / frames if int8 else None
    return Comparison(
        **_means(results),
        frames=frames,
        by_snr=_by_snr(results),
        agreement_db=float(np.mean([clip.agreement_db for clip in int8])) if int8 else None,
        differing_mask_bits=_mean(differing),
        differing_informative_bits=_mean(differing[informative]) if differing is not None else None,
        informative_masks=int(informative.sum()),
        always_on=int((share == 1).sum()),
        always_off=int((share == 0).sum()),
        utilization=_open_share(gates, frames).mean(axis=1).tolist() if config.gated else [],
        utilization_float=_mean(share),
        utilization_int8=_mean(_open_share(gates, frames)) if int8 else None,
        macs_per_frame=float(macs.mean()),
        macs_p95=float(np.percentile(macs, 95)),
        macs_all_active=config.macs(config.blocks * config.gated),
        macs_bound=config.macs(config.frame_limit),
    )


def _open_share(gates: Sequence[Gates], frames: int) -> Shares:
    """Of the frames, for each gate, [blocks, N]."""
    return np.asarray(np.sum([clip.opened for clip in gates], axis=0) / frames)


def _mean(shares: Shares | None) -> float | None:
    return None if shares is None or shares.size == 0 else float(shares.mean())


def _by_snr(results: Sequence[ClipScores]) -> list[SnrBin]:
    bins = defaultdict(list)
    for result in results:
        bins[int(result.snr_db // SNR_BIN_DB) * SNR_BIN_DB].append(result)
    return [SnrBin(**_means(bins[low]), low_db=low, high_db=low + SNR_BIN_DB) for low in sorted(bins)]


def _means(results: Sequence[ClipScores]) -> dict[str, Any]:
    """The fields of `Scores`."""
    noisy, float_ = (Score.mean([getattr(result, name) for result in results]) for name in ("noisy", "float_"))
    int8 = [result.int8.score for result in results if result.int8 is not None]
    integer = Score.mean(int8) if int8 else None
    return {
        "clips": len(results),
        "noisy": noisy,
        "float_": float_,
        "int8": integer,
        "float_gain": float_ - noisy,
        "int8_gain": None if integer is None else integer - noisy,
    }
