# SPDX-License-Identifier: Apache-2.0
"""Gates that lean to open: a trained network's scores raised, so that less speech is missed for some more work.

    python -m dyncp.train.finishing.leaning CHECKPOINT OUT BY CORPUS [FIRST_GROUP]

Training asks for both kinds of frame alike; where the balance of misses and false alarms should lie is for the product
to say (docs/recipe.md). `training.lean` does it at the end of every epoch; the command, to a network that was trained
before, by clips of the corpus' training split. It writes a checkpoint without probes, which were fitted on other masks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from dyncp.base.errors import ConfigError
from dyncp.train import processes
from dyncp.train.network.checkpoint import load_checkpoint
from dyncp.train.network.enhancer import Enhancer

FIRST_GROUP = 1
"""The gate before it hears no context and stays as it was trained: what it misses costs little."""

SELDOM = 0.05
"""A channel that is open in a smaller share of frames has hardly been trained, and does harm where a gate opens it."""


MasksOf = Callable[[Tensor], Tensor]
"""What a network hears [B, F, T] → its masks [B, blocks, N, T], in the arithmetic that it is trained in."""


@contextmanager
def leaning(network: Enhancer, by: float, masks_of: MasksOf, heard: Sequence[Tensor]) -> Iterator[None]:
    """Within, the gates of `network` lean by `by`, as `heard` has them; afterwards they stand as before."""
    own = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    lean(network, by, open_shares(network, masks_of, heard))
    try:
        yield
    finally:
        network.load_state_dict(own)


@torch.no_grad()
def open_shares(network: Enhancer, masks_of: MasksOf, heard: Sequence[Tensor]) -> Tensor:
    """[blocks, N], shares of the frames of `heard` in which a channel is active. Means over all processes."""
    training = network.training
    network.eval()
    shares = torch.stack([masks_of(features).mean(dim=(0, 3)) for features in heard]).mean(0)
    network.train(training)
    return processes.mean(shares)


@torch.no_grad()
def lean(network: Enhancer, by: float, shares: Tensor, first_group: int = FIRST_GROUP) -> None:
    """Add `by` to the scores of the gates of `first_group` and later ones.

    Left out are channels that never close and, by `shares` [blocks, N], those that hardly ever open. Raises ConfigError
    where no gate is left to lean.
    """
    gates = [gate for gate in network.gates if gate.group >= first_group]
    if not gates:
        raise ConfigError(f"no gate decides for group {first_group} or a later one")
    for gate in gates:
        assert gate.score.bias is not None
        decides = (gate.score.weight != 0).any(dim=1)[:, 0]
        first = gate.group * gate.blocks
        seen = shares[first : first + gate.blocks].flatten() >= SELDOM
        gate.score.bias += by * (decides & seen.to(decides.device))


def main(source: str, out: str, by: str, corpus: str, first_group: str = str(FIRST_GROUP)) -> None:
    """The command."""
    from dyncp.train.finishing.finished import heard_in, write_finished

    checkpoint = load_checkpoint(Path(source))
    network = checkpoint.network
    heard = heard_in(Path(corpus), network.config)
    shares = open_shares(network, lambda features: network(features).masks, heard)
    lean(network, float(by), shares, int(first_group))
    write_finished(checkpoint, Path(out))


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
