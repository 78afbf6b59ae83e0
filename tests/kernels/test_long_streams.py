# SPDX-License-Identifier: Apache-2.0
"""Over long streams the update by flipped bits equals full recomputation in C, and the reference, in every frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from bundles import random_bundle
from libraries import Kernel
from numpy.typing import NDArray
from signals import speech_like
from test_probe_updates import padded, row_table

from dyncp.base.config.network import NetworkConfig
from dyncp.export.formats.bundle import Probes
from dyncp.export.formats.masks import pack_masks, unpack_masks
from dyncp.export.integers import reference
from dyncp.export.integers.readout import probe_words

CONFIG = NetworkConfig(channels=50, hidden=12, gate=3, stacks=1, dilations=(1, 2), pooling_frames=5)
FRAMES = 30_000

pytestmark = pytest.mark.parametrize("kernel", ["gcc", "clang"], indirect=True, scope="session")

Width = Literal["int8", "int16"]
Masks = NDArray[np.uint32]


@dataclass
class Stream:
    """One stream's state in C: what it has seen, and its sums."""

    kernel: Kernel
    probes: Probes

    def __post_init__(self) -> None:
        self.seen = np.zeros(CONFIG.mask_words, np.uint32)
        self.sum = self.probes.bias.astype(np.int32)
        bits = np.zeros(32 * CONFIG.mask_words, bool)
        bits[self.probes.channel] = True
        self.weight = padded(self.probes.weight)
        self.row = row_table(bits.reshape(-1, 32), self.weight)
        self.used = np.packbits(bits, bitorder="little").view(np.uint32)

    def run(self, masks: Masks) -> NDArray[np.int32]:
        """The words of the next frames, [n, O]."""
        outputs, masks = len(self.probes.bias), np.ascontiguousarray(masks)
        sums = np.empty((len(masks), outputs), np.int32)
        name = f"probe{8 * self.probes.weight.itemsize}_stream"
        table: list[Any] = [self.row, self.used, CONFIG.mask_words, outputs, self.weight]
        self.kernel(name, *table, masks, len(masks), self.seen, self.sum, sums)
        return sums


def recomputed(kernel: Kernel, probes: Probes, masks: Masks) -> NDArray[np.int32]:
    """By the plain kernel of shim.c."""
    (features, outputs), weight = probes.weight.shape, probes.weight.astype(np.int16)
    sums = np.empty((len(masks), outputs), np.int32)
    shape = (features, CONFIG.mask_words, outputs)
    kernel("recompute", probes.channel, *shape, weight, probes.bias, np.ascontiguousarray(masks), len(masks), sums)
    return sums


def a_probe_set(width: Width) -> Probes:
    probes = random_bundle(CONFIG, 3, width).probes
    assert probes is not None
    return probes


def random_masks() -> Masks:
    """Bits that flip rarely, often and all at once; with frames of no change, all ones and all zeros."""
    random = np.random.default_rng(1)
    share = random.choice([0.0, 0.004, 0.03, 0.5, 1.0], FRAMES, p=[0.2, 0.4, 0.3, 0.09, 0.01])
    flips = random.random((FRAMES, CONFIG.blocks, CONFIG.gated), np.float32) < share[:, None, None]
    active = np.logical_xor.accumulate(flips, axis=0)
    active[5000], active[9000] = True, False
    return pack_masks(active, CONFIG)


def real_masks() -> Masks:
    """Of a network that hears speech and pauses."""
    bundle = random_bundle(CONFIG, 3)
    return np.concatenate([reference.run(bundle, speech_like(FRAMES // 6, seed)).masks for seed in range(6)])


@pytest.mark.slow
@pytest.mark.parametrize("width", ["int8", "int16"])
@pytest.mark.parametrize("source", [random_masks, real_masks])
def test_every_frame_of_two_interleaved_streams_with_resets(kernel: Kernel, source: Any, width: Width) -> None:
    probes, masks = a_probe_set(width), source()
    assert len(masks) == FRAMES
    assert (masks[1:] != masks[:-1]).any(axis=1).mean() > 0.1, "masks that hardly move prove little"

    expected = recomputed(kernel, probes, masks)
    literal = probe_words(probes, CONFIG, unpack_masks(masks, CONFIG))
    np.testing.assert_array_equal(expected, literal)

    first, second = Stream(kernel, probes), Stream(kernel, probes)
    backwards = masks[::-1]
    got: list[list[NDArray[np.int32]]] = [[], []]
    for place, piece in enumerate(np.array_split(np.arange(FRAMES), 60)):
        if place == 31:  # a reset in mid-stream: the rest does not depend on what came before
            first = Stream(kernel, probes)
        got[0].append(first.run(masks[piece]))
        got[1].append(second.run(backwards[piece]))
    np.testing.assert_array_equal(np.concatenate(got[0]), expected)
    np.testing.assert_array_equal(np.concatenate(got[1]), expected[::-1])
