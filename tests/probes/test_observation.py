# SPDX-License-Identifier: Apache-2.0
"""What the two engines show of a network on real speech: the same things, at the same times."""

from __future__ import annotations

import numpy as np
import pytest

from dyncp.base.audio import Pcm
from dyncp.base.config.framing import HOP
from dyncp.base.errors import AudioError, ConfigError
from dyncp.base.paths import CHECKPOINTS
from dyncp.evaluation.engines.float_engine import observe_float
from dyncp.evaluation.engines.observe import observe
from dyncp.export.formats.bundle import Bundle, write_bundle
from dyncp.export.quantization.fold import fold
from dyncp.export.quantization.quantize import quantize
from dyncp.train.corpora.demo_corpus import read_voice
from dyncp.train.network.checkpoint import Checkpoint, load_checkpoint
from dyncp.train.probes.features import FEATURE_SETS, feature_matrix
from dyncp.train.probes.observation import Observation

pytestmark = pytest.mark.slow

# More than one block of both engines, and no whole number of them.
FRAMES = 1111
Pair = tuple[Observation, Observation]


@pytest.fixture(scope="module")
def network() -> Checkpoint:
    return load_checkpoint(CHECKPOINTS / "paper")


@pytest.fixture(scope="module")
def speech() -> Pcm:
    voice = np.concatenate(read_voice("it_IT_m_Carlo", 20.0))[: FRAMES * HOP]
    hiss = np.random.default_rng(0).normal(0, 60, FRAMES * HOP)
    return (voice // 2 + hiss).astype(np.int16)


@pytest.fixture(scope="module")
def bundle(network: Checkpoint, speech: Pcm, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    quantized = quantize(fold(network), [speech[: 400 * HOP]], None)
    write_bundle(quantized, tmp_path_factory.mktemp("observed") / "bundle")
    return quantized


@pytest.fixture(scope="module")
def observations(network: Checkpoint, bundle: Bundle, speech: Pcm) -> Pair:
    return observe(bundle, speech), observe_float(network, speech)


def test_shapes_and_meaning(observations: Pair) -> None:
    for seen in observations:
        assert seen.frames == FRAMES
        assert seen.masks.shape == seen.scores.shape == (FRAMES, 9, 128)
        assert seen.suppression.shape == seen.log_magnitude.shape == (FRAMES, 257)
        assert seen.output.shape == (FRAMES * HOP,)
        assert ((seen.scores > 0) == seen.masks).all()
        assert 0 <= seen.suppression.min() < 0.1 < 0.9 < seen.suppression.max() <= 1
        assert seen.log_magnitude.min() == pytest.approx(-5)


def test_the_engines_agree(observations: Pair) -> None:
    integer, floating = observations
    assert (integer.masks != floating.masks).mean() < 0.02
    assert np.abs(integer.suppression - floating.suppression).mean() < 0.02
    assert np.abs(integer.log_magnitude - floating.log_magnitude).max() < 1e-2
    difference = integer.output.astype(float) - floating.output
    assert 10 * np.log10(np.mean(np.square(floating.output, dtype=float)) / np.mean(difference**2)) > 15


def test_output_is_aligned_with_the_input(observations: Pair, speech: Pcm) -> None:
    for seen in observations:
        both = np.fft.rfft(speech, 2 * len(speech)).conj() * np.fft.rfft(seen.output, 2 * len(speech))
        assert np.argmax(np.fft.irfft(both)) == 0
        # The last hop is there too.
        assert seen.output[-HOP // 2 :].any()


def test_frames_cover_the_hop_before_and_their_own(bundle: Bundle, network: Checkpoint) -> None:
    pcm = np.zeros(8 * HOP, np.int16)
    pcm[3 * HOP + 100] = 20000
    for seen in (observe(bundle, pcm), observe_float(network, pcm)):
        assert np.flatnonzero(seen.log_magnitude.max(axis=1) > -4).tolist() == [3, 4]


def test_a_block_edge_changes_nothing(observations: Pair, bundle: Bundle, network: Checkpoint, speech: Pcm) -> None:
    """A shorter signal has its blocks elsewhere; the network is causal, so all but the last hop is the same."""
    shorter = speech[: 1030 * HOP]
    told: list[int] = []
    for seen, again in zip(
        observations, (observe(bundle, shorter, told.append), observe_float(network, shorter)), strict=True
    ):
        assert (seen.masks[:1030] == again.masks).mean() > 0.9999
        assert again.log_magnitude == pytest.approx(seen.log_magnitude[:1030], abs=1e-5)
        assert np.abs(seen.output[: 1029 * HOP] - again.output[: 1029 * HOP].astype(int)).max() <= 1
    assert sum(told) == 1031


def test_masks_alone_are_the_same_masks(observations: Pair, bundle: Bundle, speech: Pcm) -> None:
    alone = observe(bundle, speech, masks_only=True)
    assert (alone.masks == observations[0].masks).all()
    assert (alone.output == observations[0].output).all()
    assert alone.scores.size == alone.suppression.size == alone.log_magnitude.size == 0


def test_audio_must_be_whole_hops(bundle: Bundle, network: Checkpoint) -> None:
    with pytest.raises(AudioError, match="multiple of 256"):
        observe_float(network, np.zeros(300, np.int16))
    with pytest.raises(AudioError, match="multiple of 256"):
        observe(bundle, np.zeros(300, np.int16))


def test_feature_sets(observations: Pair, network: Checkpoint) -> None:
    seen, config = observations[0], network.config.network
    shapes = {name: feature_matrix(name, seen, config).values.shape[1] for name in FEATURE_SETS}
    assert shapes == {
        "masks": 1152,
        "first_two_blocks": 256,
        "top64": 1152,
        "scores": 1152,
        "spectrum": 257,
        "suppression": 257,
    }
    assert [name for name in FEATURE_SETS if feature_matrix(name, seen, config).binary] == [
        "masks",
        "first_two_blocks",
        "top64",
    ]
    assert (feature_matrix("masks", seen, config).values[:, 128 * 3 + 5] == seen.masks[:, 3, 5]).all()
    assert FEATURE_SETS["top64"].strongest == 64
    with pytest.raises(ConfigError, match="the feature sets are masks"):
        feature_matrix("mask", seen, config)
    with pytest.raises(ConfigError, match="observe this network"):
        feature_matrix("masks", seen, config.model_copy(update={"channels": 64}))
