# SPDX-License-Identifier: Apache-2.0
"""A worker that makes batches, and a training process that goes away while it takes one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from multiprocessing import reduction, resource_sharer
from multiprocessing.connection import Client
from multiprocessing.process import current_process
from typing import Any, cast

import pytest
from torch.utils.data import IterableDataset

from dyncp.train.mixing.clips import Batches, loader

UNKNOWN = -1


class Handles(IterableDataset[Any]):
    """Offers a file as the memory of a batch is offered, and tells where: address and key."""

    def __iter__(self) -> Iterator[Any]:
        with open(os.devnull, "rb") as file:
            yield resource_sharer.DupFd(file.fileno())._id  # type: ignore[attr-defined]


def ask(address: str, key: int) -> None:
    """As the training process does for a batch."""
    with Client(address, authkey=bytes(current_process().authkey)) as connection:
        connection.send((key, os.getpid()))
        if key != UNKNOWN:
            os.close(reduction.recv_handle(connection))


@pytest.mark.parametrize("told", [False, True], ids=["cut off", "wrong"])
def test_a_worker_tells_of_errors_but_not_of_being_cut_off(told: bool, capfd: pytest.CaptureFixture[str]) -> None:
    batches = iter(loader(cast(Batches, Handles()), workers=1))
    address, key = next(batches)
    with socket.socket(socket.AF_UNIX) as early:
        early.connect(address)
    Client(address, authkey=bytes(current_process().authkey)).close()
    if told:
        ask(address, UNKNOWN)
    ask(address, key)  # Served in turn: by now the others have failed.
    assert next(batches, None) is None
    lines = [line for line in capfd.readouterr().err.splitlines() if "Error" in line]
    assert lines == (["KeyError: -1"] if told else [])
