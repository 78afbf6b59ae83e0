# SPDX-License-Identifier: Apache-2.0
"""Packed pruning masks (docs/arithmetic.md, section 7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig


def pack_block(active: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Pack the last axis, bool [..., N], into uint32 [..., ceil(N / 32)]: channel c is bit c mod 32 of word c / 32."""
    padding = [(0, 0)] * (active.ndim - 1) + [(0, -active.shape[-1] % 32)]
    octets = np.packbits(np.pad(active, padding), axis=-1, bitorder="little")
    return octets.view("<u4").astype(np.uint32)


def pack_masks(active: NDArray[np.bool_], config: NetworkConfig) -> NDArray[np.uint32]:
    """Pack bool [n, blocks, N] into uint32 [n, words], block by block."""
    return pack_block(active).reshape(len(active), config.mask_words)


def unpack_masks(words: NDArray[np.uint32], config: NetworkConfig) -> NDArray[np.bool_]:
    """The inverse of `pack_masks`: uint32 [n, words] to bool [n, blocks, N]."""
    octets = np.ascontiguousarray(words, dtype="<u4").view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little").astype(np.bool_)
    return bits.reshape(len(words), config.blocks, 32 * config.mask_words_per_block)[:, :, : config.gated]


def channel_bits(config: NetworkConfig) -> NDArray[np.int32]:
    """Position of every gated channel in the packed masks, 32 · word + bit: int32 [blocks, N]."""
    first = np.arange(config.blocks) * 32 * config.mask_words_per_block
    return (first[:, None] + np.arange(config.gated)[None, :]).astype(np.int32)
