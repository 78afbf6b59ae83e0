# SPDX-License-Identifier: Apache-2.0
"""Quantization keeps the network's behaviour, survives odd networks and refuses impossible ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from networks import CAPPED, FOLLOWING, SHAPES, STATIC, TAPPED, trained_enough
from signals import extreme, speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError, QuantizationError
from dyncp.base.metrics import si_sdr
from dyncp.evaluation.quality.compare import compare, enhance_float
from dyncp.export.formats.bundle import check
from dyncp.export.formats.masks import unpack_masks
from dyncp.export.integers.reference import run
from dyncp.export.quantization.calibrate import CLIPPED, LARGEST_FACTOR, calibrate
from dyncp.export.quantization.fold import FoldedNetwork, Layer, fold_network, relu
from dyncp.export.quantization.quantize import quantize
from dyncp.export.quantization.rounding import multiplier, round_network
from dyncp.export.transforms import stft
from dyncp.train.mixing.pairs import Pair

CALIBRATION = [speech_like(200, seed=1), speech_like(200, seed=2)]
FEATURES = stft.compress(stft.analyse(CALIBRATION[0].reshape(-1, 256)))


def folded(config: NetworkConfig = SHAPES[0]) -> FoldedNetwork:
    return fold_network(trained_enough(config), "0" * 64)


def altered(network: FoldedNetwork, name: str, factor: float) -> FoldedNetwork:
    """The network with one layer's weights and biases scaled."""
    layer = network.layers[name]
    changed = Layer(layer.weight * factor, layer.bias * factor)
    return dataclasses.replace(network, layers=network.layers | {name: changed})


@pytest.mark.parametrize("config", [*SHAPES, *CAPPED, *FOLLOWING, *TAPPED[:2]])
def test_the_integers_follow_the_float_network(config: NetworkConfig) -> None:
    network = folded(config)
    bundle = quantize(network, CALIBRATION)
    pcm = speech_like(200, seed=3)
    wanted, active = enhance_float(network, pcm)
    result = run(bundle, pcm)
    assert si_sdr(wanted, result.output) > 25
    assert np.mean(unpack_masks(result.masks, config) != active) < 0.03
    assert 0 < active.mean() < 1
    if config.capped:
        most = result.active.max() if config.frame_cap else unpack_masks(result.masks, config).sum(axis=2).max()
        assert most == (config.frame_limit if config.frame_cap else config.block_limit), "the cap must have been hit"


@pytest.mark.parametrize("seed", [0, 1])
def test_shared_gates_are_open_as_often_as_in_the_float_network(seed: int) -> None:
    config, calibration = FOLLOWING[3], np.concatenate(CALIBRATION)
    network = fold_network(trained_enough(config, seed), "0" * 64)
    bundle = quantize(network, CALIBRATION)
    _, wanted = enhance_float(network, calibration)
    found = unpack_masks(run(bundle, calibration).masks, config)
    changing = (wanted.any(axis=0)) & ~wanted[config.gate_period :].all(axis=0)
    assert changing.sum() >= 9
    np.testing.assert_array_equal(found.sum(axis=0)[changing], wanted.sum(axis=0)[changing])


def test_the_integers_of_a_static_network_follow_it_without_masks() -> None:
    network = folded(STATIC)
    bundle, pcm = quantize(network, CALIBRATION), speech_like(200, seed=3)
    result = run(bundle, pcm)
    wanted, active = enhance_float(network, pcm)
    assert si_sdr(wanted, result.output) > 25
    assert active.shape == (200, STATIC.blocks, 0)
    assert result.masks.shape == (200, 0)
    assert not any("gate" in name or "pool" in name for name in [*bundle.tensors, *bundle.scales])
    assert set(result.macs.tolist()) == {STATIC.macs(0)}
    assert set(result.active.tolist()) == {0}


def test_the_residual_streams_scale_settles_before_its_inputs() -> None:
    """Two channels that cancel: rows too large for the stream's scale, which grows beyond what the inputs had."""
    network = folded()
    for name in ("expand", "depthwise"):
        layer = network.layers[f"blocks.1.{name}"]
        layer.weight[1], layer.bias[1] = layer.weight[0], layer.bias[0]
    project = network.layers["blocks.1.project"].weight
    project[:, :2] = 0
    before = calibrate(network, FEATURES)
    project[0, 0] = 100 * before["blocks.1.input"] / before["blocks.1.depthwise"]
    project[0, 1] = -project[0, 0]
    scales = calibrate(network, FEATURES)
    # With the scale that the first block's input had, its factor would be beyond one half.
    assert scales["residual"] > before["blocks.0.input"] / 2
    round_network(network, scales)


def test_one_value_in_ten_thousand_is_clipped_and_only_inside_blocks() -> None:
    network = folded()
    features = stft.compress(stft.analyse(speech_like(3000, seed=1).reshape(-1, 256)))
    scales, residual = calibrate(network, features), network.front(features)
    for i in range(2):
        block = network.block(i, residual, network.decide(i, residual, 16).active[:, 0])
        assert np.abs(residual).max() <= 127 * scales[f"blocks.{i}.input"] * (1 + 1e-9)
        for name, values in (("expand", block.expand), ("depthwise", block.depthwise)):
            beyond = np.mean(relu(values) > 127 * scales[f"blocks.{i}.{name}"])
            assert CLIPPED / 2 < beyond <= CLIPPED, name
        residual = block.residual


def test_the_same_input_gives_the_same_bundle() -> None:
    first, second = quantize(folded(), CALIBRATION), quantize(folded(), CALIBRATION)
    assert first.scales == second.scales
    assert first.sources == second.sources
    assert all(np.array_equal(first.tensors[name], second.tensors[name]) for name in first.tensors)


@pytest.mark.parametrize("layer", ["front", "expand", "depthwise", "project", "gate.reduce", "gate.score"])
def test_dead_rows_and_layers_do_not_crash(layer: str) -> None:
    name = layer if layer == "front" else f"blocks.0.{layer}"
    network = folded()
    row = network.layers[name]
    row.weight[0], row.bias[0] = 0, 0
    run(quantize(network, CALIBRATION), CALIBRATION[0])
    run(quantize(altered(network, name, 0.0), CALIBRATION), CALIBRATION[0])


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_weights_of_any_size_are_expressed(factor: float) -> None:
    network = altered(folded(), "blocks.0.expand", factor)
    depthwise = network.layers["blocks.0.depthwise"]
    depthwise.weight[:] /= factor
    network = altered(network, "blocks.1.gate.reduce", factor)
    pcm = speech_like(100, seed=3)
    assert si_sdr(enhance_float(network, pcm)[0], run(quantize(network, CALIBRATION), pcm).output) > 25


@pytest.mark.parametrize(("size", "expressed"), [(0.99, True), (1.01, False)])
def test_weights_too_large_for_any_scale_are_refused_by_name(size: float, expressed: bool) -> None:
    """As a training at an absurd rate leaves them: finite, and no scale of the residual stream fits their block."""
    network = folded()
    layers = [network.layers[f"blocks.1.{part}"] for part in ("expand", "depthwise", "project")]
    product = np.prod([np.abs(layer.weight).max() for layer in layers])
    # Of four factors that are below one half, three have weights of seven bits.
    most = 127**3 * LARGEST_FACTOR**4
    network = altered(network, "blocks.1.depthwise", size * float(most / product))
    if expressed:
        small_back = altered(network, "back", 1e-3)
        round_network(small_back, calibrate(small_back, FEATURES))
        return
    with pytest.raises(QuantizationError, match=r"blocks\.1 amplifies.*depthwise .*lower rate"):
        quantize(network, CALIBRATION)


def test_a_residual_stream_that_outgrows_16_bits_is_refused() -> None:
    with pytest.raises(QuantizationError, match=r"back: one unit of the residual stream .*lower rate"):
        quantize(altered(folded(), "blocks.1.depthwise", 1e4), CALIBRATION)


def test_gates_that_are_always_off_leave_the_residual_alone() -> None:
    network = folded()
    score = network.layers["blocks.0.gate.score"]
    score.weight[:], score.bias[:] = 0, -1
    result = run(quantize(network, CALIBRATION), CALIBRATION[0], trace=True)
    assert not np.any(result.trace["block0_mask"])
    assert np.array_equal(result.trace["block0_project"], result.trace["front"])


def test_silent_calibration_gives_a_valid_bundle() -> None:
    check(quantize(folded(), [extreme("silence", 4)]))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_not_positive_and_finite_is_refused(scale: float) -> None:
    network = folded()
    scales = calibrate(network, np.ones((4, 257))) | {"blocks.1.expand": scale}
    with pytest.raises(QuantizationError, match=r"blocks\.1\.expand"):
        round_network(network, scales)


@pytest.mark.parametrize("factor", [0.5, 3.0, -0.1, float("nan")])
def test_a_factor_outside_the_multiplier_is_refused(factor: float) -> None:
    with pytest.raises(QuantizationError, match="front"):
        multiplier(np.array([0.1, factor]), "front")


def test_a_factor_just_below_one_half_stays_below() -> None:
    assert multiplier(np.array([0.0, 0.5 - 1e-12]), "front").tolist() == [0, 2**30 - 1]


def test_activations_that_overflow_float64_are_refused() -> None:
    with np.errstate(all="ignore"), pytest.raises(QuantizationError, match="not finite"):
        quantize(altered(altered(folded(), "front", 1e200), "blocks.0.expand", 1e200), CALIBRATION)


def test_a_pooling_too_short_for_the_one_pole_is_refused() -> None:
    config = SHAPES[2].model_copy(update={"pooling_frames": 2})
    with pytest.raises(QuantizationError, match="pool"):
        quantize(folded(config), CALIBRATION)


def test_calibration_audio_is_needed_and_checked() -> None:
    with pytest.raises(QuantizationError, match="calibration"):
        quantize(folded(), [])
    with pytest.raises(AudioError):
        quantize(folded(), [np.zeros(100, np.int16)])


@pytest.mark.slow
def test_comparison_reports_what_quantization_costs() -> None:
    network = folded()
    bundle = quantize(network, CALIBRATION)
    pairs = []
    for seed in (4, 5):
        clean = speech_like(190, seed=seed)
        noise = np.random.default_rng(seed).normal(scale=300, size=len(clean))
        pairs.append(Pair(clean, (clean + noise).astype(np.int16), snr_db=16.0, level_dbfs=-26.0))
    result = compare(network, bundle, pairs)
    assert result.frames == 380
    assert result.int8 is not None
    assert result.agreement_db is not None
    assert result.differing_mask_bits is not None
    assert result.differing_informative_bits is not None
    assert result.utilization_float is not None
    assert result.utilization_int8 is not None
    assert 0 < result.differing_mask_bits <= 0.03
    assert 0 < result.informative_masks <= 2 * 16 - result.always_on - result.always_off
    assert result.differing_mask_bits <= result.differing_informative_bits
    assert abs(result.utilization_float - result.utilization_int8) <= result.differing_mask_bits
    assert np.mean(result.utilization) == pytest.approx(result.utilization_int8)
    assert result.agreement_db > 25
    for metric in ("pesq", "stoi"):
        noisy, wanted, got = (getattr(score, metric) for score in (result.noisy, result.float_, result.int8))
        assert noisy != wanted
        assert abs(wanted - got) < 0.05
