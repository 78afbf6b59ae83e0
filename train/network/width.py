# SPDX-License-Identifier: Apache-2.0
"""A trained network made narrower or wider, for training to go on from: other numbers of conv channels per block."""

from __future__ import annotations

import torch
from torch import Tensor

from dyncp.base.config.network import NetworkConfig
from dyncp.train.network.enhancer import Block, Enhancer


def narrowed(network: Enhancer, hidden: int, strongest_first: bool = False) -> Enhancer:
    """The network with `hidden` conv channels per block, at most as many as it has: those that carry most.

    A channel's weight is the norm of its column in the last 1×1 times its typical size there, which batch norm states:
    its gain and shift are the spread and the mean before the ReLU. Gates on conv channels follow their channels. The
    channels that stay keep their order, or come with the largest weight first.
    """
    config = network.config.model_copy(update={"hidden": hidden})
    result = Enhancer(config)
    state = network.state_dict()
    kept = [_largest(block, hidden, strongest_first) for block in network.blocks if isinstance(block, Block)]
    for name, tensor in state.items():
        if name.startswith("blocks."):
            _, index, part = name.split(".", 2)
            state[name] = _select(part, tensor, kept[int(index) :], network.config)
    result.load_state_dict(state)
    return result.eval()


def widened(network: Enhancer, hidden: int) -> Enhancer:
    """The network with `hidden` conv channels per block, at least as many as it has, which enhances as it did.

    New channels come after those that are there. What they hear is drawn anew and what they give is 0, so that they
    learn what they are for. Their gates decide as those of the last channels before them, which have learned to.
    """
    config = network.config.model_copy(update={"hidden": hidden})
    result = Enhancer(config)
    state, drawn = network.state_dict(), result.state_dict()
    for name, tensor in state.items():
        if name.startswith("blocks."):
            state[name] = _grow(name.split(".", 2)[2], tensor, drawn[name], config)
    result.load_state_dict(state)
    return result.eval()


def _largest(block: Block, count: int, strongest_first: bool) -> Tensor:
    norm = block.depthwise_norm
    size = (norm.weight.square() + norm.bias.clamp(min=0).square()).sqrt()
    carried = size * block.project.weight[..., 0].norm(dim=0)
    kept = carried.argsort(descending=True)[:count]
    return kept if strongest_first else torch.sort(kept).values


def _select(name: str, tensor: Tensor, kept: list[Tensor], config: NetworkConfig) -> Tensor:
    """Of a block's tensor what stays; `kept` are the channels of this block and of those after it."""
    part = name.split(".")[0]
    if part == "project":
        return tensor[:, kept[0]]
    if part in ("expand", "expand_norm", "depthwise", "depthwise_norm"):
        return tensor[kept[0]] if tensor.dim() else tensor
    if name.startswith("gate.score") and config.gate_site == "hidden":
        rows = [place * config.hidden + channels for place, channels in enumerate(kept[: config.blocks_per_gate])]
        return tensor[torch.cat(rows)]
    return tensor


def _grow(name: str, tensor: Tensor, drawn: Tensor, config: NetworkConfig) -> Tensor:
    """A block's tensor with new channels, as `drawn`, behind its own."""
    if name.startswith("gate.score") and config.gate_site == "hidden":
        rows = tensor.view(config.blocks_per_gate, -1, *tensor.shape[1:])
        new = config.hidden - rows.shape[1]
        last = torch.arange(rows.shape[1] - 1, rows.shape[1] - 1 - new, -1) % rows.shape[1]
        return torch.cat([rows, rows[:, last]], dim=1).flatten(0, 1)
    if name.startswith("project"):
        return torch.cat([tensor, torch.zeros_like(drawn[:, tensor.shape[1] :])], dim=1)
    if tensor.shape == drawn.shape:
        return tensor
    return torch.cat([tensor, drawn[len(tensor) :]])
