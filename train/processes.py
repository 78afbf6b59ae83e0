# SPDX-License-Identifier: Apache-2.0
"""Training on several processes, on one machine or many: each takes its share of every batch.

A launcher (torchrun) starts the processes and tells each its place in environment variables. Sums and means over all of
them are differentiable: their gradient is summed over the processes, and DistributedDataParallel divides it by their
number, so that the gradient is that of one process with the whole batch.
"""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel

from dyncp.base.errors import ConfigError

# The modules of `share_gradients` that are still alive: each holds the group of processes.
_sharing: weakref.WeakSet[nn.Module] = weakref.WeakSet()


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that a launcher started, if one did; yields this process's device.

    `device` is cpu (gloo) or cuda (NCCL, one GPU per process of a machine). What trains must be gone at the end, or
    RuntimeError is raised: whoever frees the group's last holder while it has Python's lock waits for the group's
    thread, which may wait for that lock (pytorch/pytorch#190489). Raises ConfigError where GPUs are too few.
    """
    if "LOCAL_RANK" not in os.environ:
        yield device
        return
    if device == "cuda":
        local = int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise ConfigError(f"--device cuda: {torch.cuda.device_count()} GPUs here; start as many processes")
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    yield device
    # Not after an error: the others may never arrive, and the launcher ends them when this process fails.
    gc.collect()
    if _sharing:
        raise RuntimeError("a trainer outlives the processes that it is shared by")
    dist.destroy_process_group()


def count() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this is the process that writes and prints."""
    return not dist.is_initialized() or dist.get_rank() == 0


def share(clips: int) -> range:
    """Which clips of a batch this process takes. Raises ConfigError where the batch cannot be shared equally."""
    if clips % count():
        raise ConfigError(f"training.batch: {clips} clips cannot be shared equally by {count()} processes")
    own = clips // count()
    first = own * dist.get_rank() if dist.is_initialized() else 0
    return range(first, first + own)


def total(value: Tensor) -> Tensor:
    """Sum over the processes."""
    return _exchanged(value) if count() > 1 else value


def mean(value: Tensor) -> Tensor:
    """Mean over the processes, whose shares are equal."""
    return total(value) / count() if count() > 1 else value


def _exchange(value: Tensor) -> Tensor:
    summed: Tensor = all_reduce(value)  # type: ignore[no-untyped-call]
    return summed


# The compiler cannot look into it, and need not.
_exchanged: Callable[[Tensor], Tensor] = torch.compiler.disable(_exchange)  # type: ignore[no-untyped-call]


class SharedNorm(nn.BatchNorm1d):
    """Batch norm of [B, C, T] with the statistics of all processes' clips; torch has one for GPUs alone."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        inputs = x.float()
        centre = mean(inputs.mean((0, 2)))
        deviation = inputs - centre[:, None]
        variance = mean(deviation.square().mean((0, 2)))
        self._track(centre.detach(), variance.detach(), x.shape[0] * x.shape[2] * count())
        scale = self.weight * (variance + self.eps).rsqrt()
        return (deviation * scale[:, None] + self.bias[:, None]).to(x.dtype)

    @torch.no_grad()
    def _track(self, centre: Tensor, variance: Tensor, samples: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(centre, self.momentum)
        self.running_var.lerp_(variance * samples / (samples - 1), self.momentum)
        self.num_batches_tracked += 1


def share_norms(module: nn.Module) -> None:
    """Give every batch norm within the statistics of all processes; one process alone keeps torch's own."""
    if count() == 1:
        return
    for name, child in module.named_children():
        if type(child) is nn.BatchNorm1d:
            shared = SharedNorm(child.num_features, child.eps, child.momentum).to(child.weight.device)
            shared.load_state_dict(child.state_dict())
            setattr(module, name, shared)
        else:
            share_norms(child)


def share_gradients(module: nn.Module) -> nn.Module:
    """The module, whose gradients are from now on averaged over the processes."""
    if count() == 1:
        return module
    # Running statistics are the same everywhere already.
    shared = DistributedDataParallel(module, broadcast_buffers=False)
    _sharing.add(shared)
    return shared
