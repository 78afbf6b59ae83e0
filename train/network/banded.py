# SPDX-License-Identifier: Apache-2.0
"""A network on all bins made one on bands, for training to go on from."""

from __future__ import annotations

from itertools import pairwise

import torch

from dyncp.base.config.network import NetworkConfig
from dyncp.train.network.enhancer import Enhancer


def banded(network: Enhancer, edges: tuple[int, ...]) -> Enhancer:
    """The front sums its weights over a band's bins, as if each had the band's feature; the back has their mean."""
    config = NetworkConfig.model_validate({**network.config.model_dump(), "bands": edges})
    result, state = Enhancer(config), network.state_dict()
    widths = [end - first for first, end in pairwise(edges)]
    state["front.weight"] = torch.stack([part.sum(1) for part in state["front.weight"].split(widths, 1)], 1)
    for name in ("back.weight", "back.bias"):
        state[name] = torch.stack([part.mean(0) for part in state[name].split(widths)])
    result.load_state_dict(state)
    return result.eval()
