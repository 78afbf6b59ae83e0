# SPDX-License-Identifier: Apache-2.0
"""An optimizer's state as tensors with names, for a file without pickle."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def named_moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """`PARAMETER.MOMENT` → tensor, parameters by their place in the optimizer."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{name}": tensor for index, moments in state.items() for name, tensor in moments.items()}


def load_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `named_moments`."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".")
        moments.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
