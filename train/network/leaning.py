# SPDX-License-Identifier: Apache-2.0
"""Gates that lean to open: a trained network's scores raised, so that less speech is missed for some more work.

    python -m dyncp.train.network.leaning CHECKPOINT OUT BY [FIRST_GROUP]

Training asks for both kinds of frame alike; where the balance of misses and false alarms should lie is for the product
to say (docs/recipe.md). Writes a checkpoint without probes, which were fitted on other masks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from dyncp.base.errors import ConfigError
from dyncp.train.network.checkpoint import load_checkpoint, write_checkpoint
from dyncp.train.network.enhancer import Enhancer, Gate


@torch.no_grad()
def lean(network: Enhancer, by: float, first_group: int = 1) -> None:
    """Add `by` to every score of the gates of `first_group` and later ones, but for channels that never close.

    By default the first gate, which hears no context, stays as it was trained: what it misses costs little.
    Raises ConfigError where no gate is left to lean.
    """
    gates = [module for module in network.modules() if isinstance(module, Gate) and module.group >= first_group]
    if not gates:
        raise ConfigError(f"no gate decides for group {first_group} or a later one")
    for gate in gates:
        assert gate.score.bias is not None
        gate.score.bias += by * (gate.score.weight != 0).any(dim=1)[:, 0]


def main(source: str, out: str, by: str, first_group: str = "1") -> None:
    checkpoint = load_checkpoint(Path(source))
    lean(checkpoint.network, float(by), int(first_group))
    trained = checkpoint.manifest
    write_checkpoint(
        Path(out),
        checkpoint.network,
        checkpoint.config,
        trained.epoch,
        list(trained.utilization),
        trained.validation_loss,
        checkpoint.scales,
    )


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
