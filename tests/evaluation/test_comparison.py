# SPDX-License-Identifier: Apache-2.0
"""What `compare` says of a network: means and bins of the clips' scores, gates, MACs, with and without integers."""

from __future__ import annotations

import numpy as np
import pytest
from networks import SHAPES, STATIC, trained_enough
from signals import speech_like

from dyncp.base.config.framing import HOP
from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError, BundleError
from dyncp.base.metrics import stoi
from dyncp.base.quality import Comparison, Score
from dyncp.evaluation.quality.clip_scores import enhance_float, score
from dyncp.evaluation.quality.compare import compare
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers.reference import run
from dyncp.export.quantization.fold import FoldedNetwork, fold_network
from dyncp.export.quantization.quantize import quantize
from dyncp.train.mixing.pairs import Pair

pytestmark = pytest.mark.slow

SNRS = (-4.0, 0.0, 4.9, 12.0)
# DNSMOS repeats a clip until it fills 9.01 s: one of these 2.4 s four times, which is one window. Of 1.9 s it takes
# eight, and listens to six windows, half a second of processor time each.
FRAMES = 150


def network(config: NetworkConfig) -> tuple[FoldedNetwork, Bundle]:
    folded = fold_network(trained_enough(config), "0" * 64)
    return folded, quantize(folded, [speech_like(200, seed=1)])


def pair(snr_db: float, seed: int) -> Pair:
    clean = speech_like(FRAMES, seed=seed)
    noise = np.random.default_rng(seed).normal(scale=10 ** (-snr_db / 20) * 1600, size=len(clean))
    return Pair(clean, np.clip(clean + noise, -32768, 32767).astype(np.int16), snr_db, -26.0)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return [pair(snr_db, seed) for seed, snr_db in enumerate(SNRS)]


@pytest.fixture(scope="module")
def result(pairs: list[Pair]) -> Comparison:
    return compare(*network(SHAPES[0]), pairs)


def mean(scores: list[Score]) -> dict[str, float]:
    return {name: np.mean([getattr(s, name) for s in scores]) for name in Score.model_fields}


def test_means_are_those_of_the_clips(pairs: list[Pair], result: Comparison) -> None:
    folded, bundle = network(SHAPES[0])
    targets = [p.clean[:-HOP] for p in pairs]
    noisy = [score(t, p.noisy[:-HOP]) for t, p in zip(targets, pairs, strict=True)]
    int8 = [score(t, run(bundle, p.noisy).output[HOP:]) for t, p in zip(targets, pairs, strict=True)]
    float_ = [score(t, enhance_float(folded, p.noisy)[0][HOP:]) for t, p in zip(targets, pairs, strict=True)]
    assert result.int8 is not None
    assert result.int8_gain is not None
    for found, expected in ((result.noisy, noisy), (result.int8, int8), (result.float_, float_)):
        assert found.model_dump() == pytest.approx(mean(expected))
    assert result.int8_gain.si_sdr == pytest.approx(result.int8.si_sdr - result.noisy.si_sdr)
    assert result.float_gain.pesq == pytest.approx(result.float_.pesq - result.noisy.pesq)


def test_bins_hold_each_clip_once(result: Comparison) -> None:
    assert [(b.low_db, b.high_db, b.clips) for b in result.by_snr] == [(-5, 0, 1), (0, 5, 2), (10, 15, 1)]
    weighted = sum(b.clips * b.noisy.estoi for b in result.by_snr) / result.clips
    assert weighted == pytest.approx(result.noisy.estoi)
    assert result.by_snr[0].noisy.si_sdr < result.by_snr[1].noisy.si_sdr < result.by_snr[2].noisy.si_sdr


def test_extended_stoi_punishes_noise_in_its_own_way(pairs: list[Pair]) -> None:
    clean, noisy = pairs[0].clean, pairs[0].noisy
    assert stoi(clean, clean, extended=True) == pytest.approx(1)
    assert 0 < stoi(clean, noisy, extended=True) < stoi(clean, noisy) < 1


def test_macs_are_those_of_the_integers(pairs: list[Pair], result: Comparison) -> None:
    _, bundle = network(SHAPES[0])
    macs = np.concatenate([run(bundle, p.noisy).macs for p in pairs])
    assert (result.macs_per_frame, result.macs_p95) == (macs.mean(), np.percentile(macs, 95))
    assert macs.max() <= result.macs_bound == result.macs_all_active == bundle.config.macs(2 * 16)


def test_a_cap_bounds_the_macs(pairs: list[Pair]) -> None:
    config = SHAPES[0].model_copy(update={"frame_cap": 6})
    result = compare(*network(config), pairs[:1])
    assert result.macs_per_frame <= result.macs_bound == config.macs(6) < result.macs_all_active


def test_without_a_bundle_the_float_network_alone(pairs: list[Pair], result: Comparison) -> None:
    alone = compare(network(SHAPES[0])[0], None, pairs)
    for name in ("noisy", "float_", "float_gain"):
        assert getattr(alone, name).model_dump() == pytest.approx(getattr(result, name).model_dump())
    same = ("informative_masks", "utilization_float", "macs_all_active")
    assert [getattr(alone, name) for name in same] == [getattr(result, name) for name in same]
    assert {alone.int8, alone.int8_gain, alone.agreement_db, alone.differing_mask_bits, alone.utilization_int8} == {
        None
    }
    assert np.mean(alone.utilization) == pytest.approx(alone.utilization_float)
    assert Comparison.model_validate_json(alone.model_dump_json(by_alias=True)) == alone


@pytest.mark.parametrize("integers", [True, False])
def test_a_network_without_gates_has_no_utilization(pairs: list[Pair], integers: bool) -> None:
    folded, bundle = network(STATIC)
    result = compare(folded, bundle if integers else None, pairs)
    assert (result.utilization, result.utilization_float, result.differing_mask_bits) == ([], None, None)
    assert (result.informative_masks, result.always_on, result.always_off) == (0, 0, 0)
    assert result.macs_per_frame == result.macs_p95 == result.macs_all_active == STATIC.macs(0)
    assert (result.int8 is not None) == integers


def test_progress_counts_every_clip(pairs: list[Pair]) -> None:
    seen: list[int] = []
    compare(network(SHAPES[0])[0], None, pairs, seen.append)
    assert sum(seen) == len(pairs)


def test_what_cannot_be_scored_is_refused(pairs: list[Pair]) -> None:
    folded, _ = network(SHAPES[0])
    with pytest.raises(BundleError, match="not the checkpoint's"):
        compare(folded, network(SHAPES[2])[1], pairs)
    silent = Pair(np.zeros(100 * HOP, np.int16), pairs[0].noisy[: 100 * HOP], -np.inf, -26.0)
    with pytest.raises(AudioError, match="silent"):
        compare(folded, None, [silent])
