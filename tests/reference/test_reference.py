# SPDX-License-Identifier: Apache-2.0
"""Properties of the reference as a whole: causality, cost, masks, bad audio."""

from __future__ import annotations

import numpy as np
import pytest
from bundles import random_bundle
from hypothesis import given
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from signals import EXTREMES, extreme, speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import AudioError
from dyncp.export.formats.masks import channel_bits, pack_masks, unpack_masks
from dyncp.export.integers.reference import run
from dyncp.export.integers.run import joined, split

SMALL = NetworkConfig(channels=12, hidden=20, gate=4, stacks=1, dilations=(1, 2))


def test_the_future_changes_nothing() -> None:
    bundle, pcm = random_bundle(SMALL, 1), speech_like(80)
    whole, part = run(bundle, pcm), run(bundle, pcm[: 50 * 256])
    assert np.array_equal(whole.output[: 50 * 256], part.output)
    assert np.array_equal(whole.masks[:50], part.masks)
    assert np.array_equal(whole.words[:50], part.words)
    assert np.array_equal(whole.signals[:50], part.signals)
    assert whole.trace == {}, "nobody asked for one"


def test_parts_of_a_run_join_to_the_whole() -> None:
    whole = run(random_bundle(SMALL, 1), speech_like(30), trace=True)
    first, last = whole.part(0, 11), whole.part(11)
    assert (first.frames, last.frames, len(first.output)) == (11, 19, 11 * 256)
    assert np.array_equal(last.output, whole.output[11 * 256 :])
    assert first.trace == last.trace == {}
    again = joined([first, last])
    for name in ("output", "masks", "words", "signals", "macs", "active"):
        assert len(getattr(whole, name)) == len(getattr(first, name)) + len(getattr(last, name))
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name), err_msg=name, strict=True)


def test_a_run_is_split_with_its_stages() -> None:
    whole = run(random_bundle(SMALL, 1), speech_like(3), trace=True)
    first, rest = split(whole, 1)
    assert first.trace.keys() == rest.trace.keys() == whole.trace.keys()
    for stage, values in whole.trace.items():
        assert np.array_equal(first.trace[stage], values[:1]), stage
        assert np.array_equal(rest.trace[stage], values[1:]), stage
    assert np.array_equal(joined([first, rest]).output, whole.output)
    # One frame has all its samples.
    assert np.array_equal(first.part(0).output, whole.output[:256])


def test_macs_follow_the_active_channels() -> None:
    config = NetworkConfig()
    result = run(random_bundle(config, 1), speech_like(20))
    bits = unpack_masks(result.masks, config)
    assert np.array_equal(result.active, bits.sum(axis=(1, 2)))
    assert np.array_equal(result.macs, 404_480 + 256 * result.active)
    assert config.macs(1152) == 699_392


def test_without_probes_there_are_no_words() -> None:
    result = run(random_bundle(SMALL, 1, probes=None), speech_like(3), trace=True)
    assert result.words.shape == result.signals.shape == (3, 0)
    assert "probes" not in result.trace


@pytest.mark.parametrize("name", EXTREMES)
def test_extreme_audio_runs_and_stays_in_range(name: str) -> None:
    result = run(random_bundle(SMALL, 2), extreme(name, 12), trace=True)
    assert result.trace["features"].min() >= 0
    assert result.trace["suppression"].max() <= 32767
    if name == "silence":
        assert not np.any(result.output)


@pytest.mark.parametrize(
    "pcm",
    [
        np.zeros(0, np.int16),
        np.zeros(255, np.int16),
        np.zeros(256, np.float32),
        np.zeros((2, 256), np.int16),
    ],
)
def test_unusable_audio_is_refused(pcm: NDArray[np.int16]) -> None:
    with pytest.raises(AudioError):
        run(random_bundle(SMALL, 1), pcm)


@given(arrays(np.bool_, (3, 4, 37)))
def test_masks_survive_packing_and_padding_stays_zero(active: NDArray[np.bool_]) -> None:
    config = NetworkConfig(hidden=37, gate_site="hidden", stacks=2, dilations=(1, 2))
    words = pack_masks(active, config)
    assert words.shape == (3, config.mask_words)
    assert np.array_equal(unpack_masks(words, config), active)
    for frame, block, channel in zip(*np.nonzero(active), strict=True):
        position = int(channel_bits(config)[block, channel])
        assert words[frame, position // 32] >> (position % 32) & 1
    assert sum(int(word).bit_count() for word in words.ravel()) == active.sum()
