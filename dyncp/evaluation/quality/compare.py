# SPDX-License-Identifier: Apache-2.0
"""How well a network enhances, and what quantization costs it: the float network and its bundle on the same audio."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dyncp.base.errors import BundleError, NoSpeechError
from dyncp.base.quality import Comparison, Score, SnrBin
from dyncp.base.tasks import TAU
from dyncp.evaluation.quality.clip_scores import ClipScores, Gates, Pcm, score_clip
from dyncp.evaluation.quality.clip_scores import enhance_float as enhance_float
from dyncp.export.formats.bundle import Bundle
from dyncp.export.quantization.dead import narrowed_alike
from dyncp.export.quantization.fold import FoldedNetwork

if TYPE_CHECKING:
    from dyncp.train.mixing.pairs import Pair

log = logging.getLogger(__name__)

Shares = NDArray[np.float64]
T = TypeVar("T")

SNR_BIN_DB = 5


def compare(
    folded: FoldedNetwork,
    bundle: Bundle | None,
    pairs: Sequence[Pair],
    progress: Callable[[int], object] | None = None,
) -> Comparison:
    """Run both networks over `pairs`, aligned, each a whole number of hops, in parallel over the cores.

    Without `bundle`, the float network alone; else without the channels that export let go. The integers run in the
    NumPy reference: beside the metrics its time hardly counts, and it needs no compiler. `progress` is told the clips
    that each step has added. Raises BundleError for a bundle of another shape than the network, AudioError for audio
    that is not a positive whole number of hops, NoSpeechError where no pair has speech for the metrics.
    """
    folded = as_in_bundle(folded, bundle)
    return _summary(folded, clip_results(partial(score_clip, folded, bundle), pairs, progress))


def as_in_bundle(folded: FoldedNetwork, bundle: Bundle | None) -> FoldedNetwork:
    """The float network without the channels that export let go. Raises BundleError for a bundle of another shape."""
    if bundle is None:
        return folded
    folded = narrowed_alike(folded, bundle)
    if bundle.config != folded.config:
        raise BundleError("bundle: its network is not the checkpoint's; export the checkpoint that is evaluated")
    return folded


def clip_results(
    work: Callable[[Pcm, Pcm, float], T], pairs: Sequence[Pair], progress: Callable[[int], object] | None = None
) -> list[T]:
    """`work` of each pair's clean and noisy speech and its SNR, in parallel over the cores.

    A pair in which a metric finds no speech is left out and named; NoSpeechError where that leaves none.
    """
    results, left_out = [], []
    for pair, result in zip(pairs, _in_parallel(partial(_attempt, work), pairs), strict=True):
        if isinstance(result, NoSpeechError):
            left_out.append(f"{pair.name}: {result}")
        else:
            results.append(result)
        if progress is not None:
            progress(1)
    if left_out:
        listed = f"{len(left_out)} of {len(pairs)} clips cannot be scored:\n  " + "\n  ".join(left_out)
        if not results:
            raise NoSpeechError(listed)
        log.warning("left out: %s", listed)
    return results


def _attempt(work: Callable[[Pcm, Pcm, float], T], clean: Pcm, noisy: Pcm, snr_db: float) -> T | NoSpeechError:
    try:
        return work(clean, noisy, snr_db)
    except NoSpeechError as error:
        return error


def _in_parallel(work: Callable[[Pcm, Pcm, float], T], pairs: Sequence[Pair]) -> Iterator[T]:
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
        macs_all_active=config.macs_with(config.blocks * config.gated),
        macs_bound=config.most_macs,
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
