# SPDX-License-Identifier: Apache-2.0
"""Exponential moving average of the weights while training: what is validated and written in place of the last ones.

Averaged weights see other activations than any of the weights they were averaged from, so the statistics of batch norm
are taken anew, on a fixed set of clips, before the average is used (as in Izmailov et al., 2018).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Of the parameters of `network`, from now on: w̄ ← w̄ + (1 − d) (w − w̄).

    d rises to `decay` over the first steps, so that the weights at the start are soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay = network, decay
        self.tensors = {name: weight.detach().clone() for name, weight in network.named_parameters()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After step `step` of the training, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.tensors.values()), list(self.network.parameters()), 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within, the network has the averaged weights; afterwards its own ones and its own statistics again."""
        own = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict({**own, **self.tensors})
        try:
            yield
        finally:
            self.network.load_state_dict(own)

    def load(self, tensors: dict[str, Tensor]) -> None:
        for name, weight in self.tensors.items():
            weight.copy_(tensors[name])


@torch.no_grad()
def renew_statistics(network: nn.Module, inputs: Sequence[Tensor]) -> None:
    """Batch norm's means and variances of these inputs, each a batch, equally weighted."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d)]
    momenta = [norm.momentum for norm in norms]
    training = network.training
    network.train()
    for seen, batch in enumerate(inputs):
        for norm in norms:
            norm.momentum = 1 / (seen + 1)
        network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(training)
