# SPDX-License-Identifier: Apache-2.0
"""Gates that never open leave the network at export, and nothing else changes by a bit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import random_bundle
from networks import FOLLOWING, SHAPES, trained_enough
from signals import speech_like

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError
from dyncp.base.files.sealed import seal
from dyncp.export.formats.bundle import MANIFEST, Bundle, read_bundle, write_bundle
from dyncp.export.formats.masks import channel_bits, unpack_masks
from dyncp.export.integers.reference import run
from dyncp.export.quantization.dead import bits_before, narrowed_alike, opened_on, without_dead
from dyncp.export.quantization.fold import fold_network
from dyncp.export.quantization.quantize import quantize
from dyncp.export.transforms import stft
from dyncp.firmware.host.library import host_library

CALIBRATION = [speech_like(120, seed=1), speech_like(120, seed=2)]
OTHER = speech_like(200, seed=3)
# Hidden channels, gates of their own and shared; a cap, of which the lowest of equal scores is the first.
HIDDEN = [SHAPES[1], FOLLOWING[1], FOLLOWING[3], SHAPES[3].model_copy(update={"block_cap": 9})]
NEVER = -(2**30)


def closed(bundle: Bundle, dead: dict[int, list[int]]) -> Bundle:
    """The bundle with these gates of each block closed for good."""
    config, tensors = bundle.config, dict(bundle.tensors)
    for block, channels in dead.items():
        owner = block - block % config.blocks_per_gate
        name = f"blocks.{owner}.gate.score.bias"
        bias = tensors[name].copy()
        bias[(block - owner) * config.gated + np.array(channels)] = NEVER
        tensors[name] = bias
    return replace(bundle, tensors=tensors)


def dying(config: NetworkConfig) -> Bundle:
    """11 gates of one block never open, 13 of the other."""
    whole = quantize(fold_network(trained_enough(config), "0" * 64), CALIBRATION)
    return closed(whole, {0: [0, 3, *range(20, 29)], 1: [1, *range(28, 40)]})


@pytest.mark.parametrize("config", HIDDEN, ids=str)
def test_what_remains_computes_the_same(config: NetworkConfig, tmp_path: Path) -> None:
    bundle = dying(config)
    opened = opened_on(bundle, [*CALIBRATION, OTHER])
    small = without_dead(bundle, opened)
    assert small.kept is not None
    width = small.config.hidden
    assert opened.sum(axis=1).max() <= width < config.hidden
    assert all(set(np.flatnonzero(row)) <= set(kept) for row, kept in zip(opened, small.kept, strict=True))
    write_bundle(small, tmp_path / "bundle")

    before, after = run(bundle, OTHER), run(small, OTHER)
    np.testing.assert_array_equal(after.output, before.output)
    masks = unpack_masks(before.masks, config)
    wanted = np.stack([masks[:, i, kept] for i, kept in enumerate(small.kept)], axis=1)
    np.testing.assert_array_equal(unpack_masks(after.masks, small.config), wanted)
    # Every decision scores fewer channels.
    assert np.all(after.macs <= before.macs)
    assert after.macs.sum() < before.macs.sum()
    with host_library(read_bundle(tmp_path / "bundle")) as library:
        heard = library.run(OTHER)
    np.testing.assert_array_equal(heard.output, before.output)
    np.testing.assert_array_equal(heard.masks, after.masks)
    np.testing.assert_array_equal(heard.macs, after.macs)


def test_a_checkpoint_keeps_probes_where_its_own_channels_are() -> None:
    bundle = dying(HIDDEN[0])
    assert np.array_equal(
        bits_before(channel_bits(bundle.config)[0], bundle, bundle.config), channel_bits(bundle.config)[0]
    )
    small = without_dead(bundle, opened_on(bundle, [*CALIBRATION, OTHER]))
    found = bits_before(channel_bits(small.config).reshape(-1), small, bundle.config)
    channels = unpack_masks(run(small, OTHER).masks, small.config).reshape(-1, len(found))
    words = run(bundle, OTHER).masks
    np.testing.assert_array_equal(words[:, found // 32] >> (found % 32) & 1, channels)


def test_the_float_network_is_narrowed_alike() -> None:
    config = HIDDEN[1]
    folded = fold_network(trained_enough(config), "0" * 64)
    bundle = quantize(folded, CALIBRATION)
    features = stft.compress(stft.analyse(OTHER.reshape(-1, 256)), config.bands)
    mask, active = folded.forward(features)
    opened = active.any(axis=0)
    opened[:, ::3] = False
    small = without_dead(bundle, opened)
    narrow = narrowed_alike(folded, small)
    assert narrow.config == small.config
    assert small.kept is not None
    # Channels that are gone only add where they were active.
    quiet = ~np.any(
        [active[:, i, list(set(range(40)) - set(kept))].any(axis=1) for i, kept in enumerate(small.kept)], 0
    )
    first = int(np.argmin(quiet)) if not quiet.all() else len(quiet)
    np.testing.assert_allclose(narrow.forward(features)[0][:first], mask[:first])
    assert narrowed_alike(folded, bundle) is folded


def test_probes_keep_their_gates_and_their_words() -> None:
    bundle = random_bundle(SHAPES[3], seed=1)
    opened = opened_on(bundle, [OTHER])
    opened[:, 10:] = False
    small = without_dead(bundle, opened)
    assert small.kept is not None
    assert bundle.probes is not None
    read = np.isin(channel_bits(bundle.config), bundle.probes.channel)
    assert all(set(np.flatnonzero(row)) <= set(kept) for row, kept in zip(read, small.kept, strict=True))
    # With nothing but gates gone that never open, words stay what they were.
    dead = closed(
        bundle, {i: np.flatnonzero(~row & ~r).tolist() for i, (row, r) in enumerate(zip(opened, read, strict=True))}
    )
    narrow = without_dead(dead, opened)
    np.testing.assert_array_equal(run(narrow, OTHER).words, run(dead, OTHER).words)


@pytest.mark.parametrize("config", [SHAPES[0], FOLLOWING[0], SHAPES[1]], ids=str)
def test_where_none_can_leave_the_bundle_stays(config: NetworkConfig, tmp_path: Path) -> None:
    bundle = random_bundle(config, seed=2)
    opened = np.ones((config.blocks, config.gated), np.bool_)
    if config.gate_site == "output":
        opened[:] = False
    else:
        opened[0, :5] = False  # the other block needs all of its channels
    assert without_dead(bundle, opened) is bundle
    write_bundle(bundle, tmp_path / "bundle")
    assert "kept" not in json.loads((tmp_path / "bundle" / MANIFEST).read_bytes())


@pytest.mark.parametrize("kept", [[[0, 1]], "reversed", "negative"])
def test_a_wrong_list_of_channels_is_refused(tmp_path: Path, kept: list[list[int]] | str) -> None:
    bundle = dying(HIDDEN[0])
    small = without_dead(bundle, opened_on(bundle, CALIBRATION))
    write_bundle(small, tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    document = json.loads(path.read_bytes())
    rows = document["kept"]
    wrong = {"reversed": [row[::-1] for row in rows], "negative": [[-1, *row[1:]] for row in rows]}
    document["kept"] = kept if isinstance(kept, list) else wrong[kept]
    del document["seal"]
    path.write_bytes(seal(document))
    with pytest.raises(BundleError, match="kept must list"):
        read_bundle(tmp_path / "bundle")
    with pytest.raises(BundleError, match="does not have"):
        narrowed_alike(fold_network(trained_enough(SHAPES[1].model_copy(update={"hidden": 8})), ""), small)
