# SPDX-License-Identifier: Apache-2.0
"""Gates that never open leave a network with gates on its hidden channels, with all that belongs to their channels.

What remains are the same integers, so that the network computes the same to the bit in every frame in which none of
those gates would have opened. Blocks stay equally wide: each keeps as many channels as the block with the most live
ones, its live ones first of all, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import BundleError
from dyncp.export.formats.bundle import Bundle, Kept, Probes, Scales
from dyncp.export.formats.masks import channel_bits
from dyncp.export.integers import reference
from dyncp.export.integers.run import hops
from dyncp.export.quantization.fold import FoldedNetwork, Layer
from dyncp.export.transforms import frontend

Values = TypeVar("Values", bound=np.generic)

# NetworkConfig knows no narrower block.
FEWEST = 4


def opened_on(bundle: Bundle, streams: Sequence[NDArray[np.int16]]) -> NDArray[np.bool_]:
    """Which gates the integers open in any frame of `streams`, each from the start of a stream: [blocks, N]."""
    thresholds, bands, framing = bundle.tensors["features.thresholds"], bundle.config.bands, bundle.config.framing
    opened = np.zeros((bundle.config.blocks, bundle.config.gated), np.bool_)
    for pcm in streams:
        features = frontend.features(frontend.analysis(hops(pcm, framing.hop), framing), thresholds, bands)
        opened |= reference.network(bundle, features)[1].any(axis=0)
    return opened


def without_dead(bundle: Bundle, opened: NDArray[np.bool_]) -> Bundle:
    """The bundle less gates that are not `opened` and that no probe reads; the bundle itself where none can leave.

    A channel of gate site `output` is one of the residual stream, which all blocks share: there all gates stay.
    """
    config = bundle.config
    if config.gate_site != "hidden":
        return bundle
    needed = opened.copy()
    if bundle.probes is not None:
        needed |= np.isin(channel_bits(config), bundle.probes.channel)
    width = max(FEWEST, int(needed.sum(axis=1).max()))
    if width >= config.hidden:
        return bundle
    kept = [_widest_of(row, width) for row in needed]
    tensors = {name: _rows(name, values, config, kept) for name, values in bundle.tensors.items()}
    return Bundle(
        config=_narrowed(config, width),
        tensors=tensors,
        scales=_scales(bundle.scales, config, kept),
        sources=bundle.sources,
        probes=None if bundle.probes is None else _probes(bundle.probes, config, kept),
        kept=kept,
    )


def narrowed_alike(folded: FoldedNetwork, bundle: Bundle) -> FoldedNetwork:
    """The float network with the channels that `bundle` kept of it. Raises BundleError where it never had them."""
    kept = bundle.kept
    if kept is None:
        return folded
    config = folded.config
    if len(kept) != config.blocks or max(row[-1] for row in kept) >= config.hidden:
        raise BundleError("bundle: kept names channels that the checkpoint does not have; export it again")
    layers = {}
    for name, layer in folded.layers.items():
        weight = _rows(f"{name}.weight", layer.weight, config, kept)
        layers[name] = Layer(weight, _rows(f"{name}.bias", layer.bias, config, kept))
    return replace(folded, config=_narrowed(config, len(kept[0])), layers=layers)


def bits_before(channel: NDArray[np.int32], bundle: Bundle, before: NetworkConfig) -> NDArray[np.int32]:
    """Bits of the bundle's masks, int32 [F] → those of the same channels before any left the network, `before`."""
    if bundle.kept is None:
        return channel
    moved = dict(zip(channel_bits(bundle.config).flat, _bits(before, bundle.kept).flat, strict=True))
    return np.array([moved[bit] for bit in channel], np.int32)


def _bits(config: NetworkConfig, kept: Kept) -> NDArray[np.int32]:
    """Of the kept channels, in the masks of the network that had them all, [blocks, width]."""
    return np.take_along_axis(channel_bits(config), np.array(kept), axis=1)


def _widest_of(needed: NDArray[np.bool_], width: int) -> list[int]:
    """The needed channels and the first of the others, in order."""
    order = np.argsort(~needed, kind="stable")
    chosen: list[int] = np.sort(order[:width]).tolist()
    return chosen


def _narrowed(config: NetworkConfig, width: int) -> NetworkConfig:
    return config.model_copy(update={"hidden": width})


def _rows(name: str, values: NDArray[Values], config: NetworkConfig, kept: Kept) -> NDArray[Values]:
    """A tensor `blocks.I.LAYER.PART` with the kept channels alone."""
    if not name.startswith("blocks."):
        return values
    _, number, layer = name.split(".", 2)
    block, part = int(number), layer.rpartition(".")[2]
    if layer.startswith("gate.score."):
        return np.ascontiguousarray(values[_scored(config, block, kept)])
    if layer.startswith(("expand.", "depthwise.")):
        return np.ascontiguousarray(values[kept[block]])
    if layer.startswith("project.") and part == "weight":
        return np.ascontiguousarray(values[:, kept[block]])
    return values


def _scored(config: NetworkConfig, block: int, kept: Kept) -> list[int]:
    """Rows of the scores that the gate of `block` computes for its group."""
    group = range(block, block + config.blocks_per_gate)
    return [m * config.hidden + channel for m, i in enumerate(group) for channel in kept[i]]


def _scales(scales: Scales, config: NetworkConfig, kept: Kept) -> Scales:
    """One per row is there of scores alone."""
    narrowed: Scales = {}
    for name, scale in scales.items():
        if isinstance(scale, list):
            narrowed[name] = [scale[row] for row in _scored(config, int(name.split(".")[1]), kept)]
        else:
            narrowed[name] = scale
    return narrowed


def _probes(probes: Probes, config: NetworkConfig, kept: Kept) -> Probes:
    """The same features, where their bits now are."""
    now = channel_bits(_narrowed(config, len(kept[0])))
    moved = dict(zip(_bits(config, kept).flat, now.flat, strict=True))
    channel = np.array([moved[bit] for bit in probes.channel], probes.channel.dtype)
    return replace(probes, channel=channel)
