# SPDX-License-Identifier: Apache-2.0
"""A network's weights as the start of another, whose gates, pooling and widths may differ."""

from __future__ import annotations

import torch
from torch import Tensor

from dyncp.base.errors import CheckpointError
from dyncp.train.network.banded import banded
from dyncp.train.network.enhancer import Enhancer
from dyncp.train.network.width import narrowed, widened


def start_weights(network: Enhancer, other: Enhancer, strongest_first: bool = False) -> dict[str, Tensor]:
    """The state that `other` begins with: `network`'s where it fits, `other`'s own elsewhere.

    Gates that `network` lacks, or has of another shape, start anew: so a dense network becomes a dynamic one; but gates
    that only have fewer values than `other`'s keep them and decide as they did. Of more conv channels, those that carry
    most are kept; with `strongest_first` they come in this order where gates start anew. Fewer are joined by new ones,
    which add nothing yet (`widened`). Bins become bands. Raises CheckpointError where other shapes differ.
    """
    if network.config.bands is None and other.config.bands is not None:
        network = banded(network, other.config.bands)
    if network.config.hidden > other.config.hidden:
        network = narrowed(network, other.config.hidden)
    elif network.config.hidden < other.config.hidden:
        network = widened(network, other.config.hidden)
    own: dict[str, Tensor] = other.state_dict()
    if strongest_first and not _gates_fit(network, own):
        network = narrowed(network, network.config.hidden, strongest_first=True)
    weights = {name: _of_more_values(name, tensor, own) for name, tensor in network.state_dict().items()}
    fitting = {k: w for k, w in weights.items() if k in own and w.shape == own[k].shape}
    for name in own.keys() - fitting.keys() | weights.keys() - fitting.keys():
        if ".gate." not in name:
            raise CheckpointError(f"the network to start from does not fit the configuration: {name}")
    return {**own, **fitting}


def _gates_fit(network: Enhancer, own: dict[str, Tensor]) -> bool:
    gates = {
        name: _of_more_values(name, weights, own) for name, weights in network.state_dict().items() if ".gate." in name
    }
    return bool(gates) and all(name in own and weights.shape == own[name].shape for name, weights in gates.items())


def _of_more_values(name: str, weights: Tensor, own: dict[str, Tensor]) -> Tensor:
    """A gate's `weights` for one that differs in having more values, which read what they read in `own` and say nothing
    yet; other weights as they are."""
    if name not in own or ".gate." not in name or name.endswith("score.bias"):
        return weights
    wider, dim = own[name], 1 if ".score." in name else 0
    rest = [tensor.shape[:dim] + tensor.shape[dim + 1 :] for tensor in (weights, wider)]
    if rest[0] != rest[1] or weights.shape[dim] >= wider.shape[dim]:
        return weights
    new = wider.narrow(dim, weights.shape[dim], wider.shape[dim] - weights.shape[dim])
    return torch.cat([weights, torch.zeros_like(new) if dim else new], dim)
