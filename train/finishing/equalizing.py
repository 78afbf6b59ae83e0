# SPDX-License-Identifier: Apache-2.0
"""Residual channels of equal size: what blocks and the back-end read is then rounded to int8 more finely.

    python -m dyncp.train.finishing.equalizing CHECKPOINT OUT CORPUS

All channels of the residual stream share one int8 scale at each reader, which the largest of them sets. Times a factor
of its own, divided out again where it is read, a channel gets the size of the largest, and the network computes what
it did (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.1):
the stream is a sum of rectified and of linear terms, and gates average it, if at all, channel by channel. What that is
worth is in docs/quantization.md. The command writes a checkpoint without probes, which were fitted on other masks.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from dyncp.base.errors import ConfigError
from dyncp.train.network.checkpoint import load_checkpoint
from dyncp.train.network.enhancer import Block, Enhancer

SMALLEST = 1e-3
"""Of the largest channel: one that is smaller yet, or never heard of, is not made the size of the others."""


@torch.no_grad()
def residual_peaks(network: Enhancer, heard: Sequence[Tensor]) -> Tensor:
    """[C], the largest magnitude of each residual channel where anything reads it, on `heard`, each [B, F, T]."""
    seen: list[Tensor] = []

    def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].abs().amax(dim=(0, 2)))

    readers = [module for module in network.modules() if isinstance(module, Block)] + [network.back]
    hooks = [reader.register_forward_pre_hook(note) for reader in readers]
    training = network.training
    network.eval()
    for features in heard:
        network(features)
    network.train(training)
    for hook in hooks:
        hook.remove()
    return torch.stack(seen).amax(dim=0)


@torch.no_grad()
def equalize(network: Enhancer, peaks: Tensor) -> None:
    """Give residual channels of these `peaks` [C] the size of the largest; what the network computes stays.

    Raises ConfigError where none is above 0.
    """
    if not peaks.max() > 0:
        raise ConfigError("the network's residual stream is 0 on this corpus; train it first")
    factor = peaks.max() / peaks.clamp(min=SMALLEST * float(peaks.max()))
    assert network.front.bias is not None
    network.front.weight *= factor[:, None, None]
    network.front.bias *= factor
    for block in (module for module in network.modules() if isinstance(module, Block)):
        block.expand.weight /= factor[None, :, None]
        block.project.weight *= factor[:, None, None]
        if block.gate is not None:
            block.gate.reduce.weight /= factor[None, :, None]
    network.back.weight /= factor[None, :, None]


def main(source: str, out: str, corpus: str) -> None:
    """The command. Raises ConfigError for a network that was trained through its integers: they would be others."""
    from dyncp.train.finishing.finished import heard_in, write_finished

    checkpoint = load_checkpoint(Path(source))
    if checkpoint.scales is not None:
        raise ConfigError(f"{source}: trained through its integers, which are what they are; equalize before that")
    equalize(checkpoint.network, residual_peaks(checkpoint.network, heard_in(Path(corpus), checkpoint.network.config)))
    write_finished(checkpoint, Path(out))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
