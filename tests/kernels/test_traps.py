# SPDX-License-Identifier: Apache-2.0
"""What holds kernels to their arrays notices one that leaves them, and one that hangs (tests/support/callable_c.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import callable_c
import numpy as np
import pytest
from callable_c import EmulatedFunctions

from dyncp.base.errors import ToolchainError
from dyncp.firmware.building.boards import select

HERE = Path(__file__).parent


@pytest.fixture(scope="module", params=["cortex-m3", "cortex-m55"])
def broken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedFunctions]:
    (board,) = select([request.param])
    core = EmulatedFunctions(HERE / "broken.c", HERE / "serve.c", board, (), tmp_path_factory.mktemp("broken"))
    yield core
    core.close()


def test_a_write_outside_of_the_array(broken: EmulatedFunctions) -> None:
    y = np.ones((3, 5), np.int8)  # a matrix of 8 bits lies at 8 bytes: one is left behind it
    broken("write_at", y, 14)
    assert y.ravel().tolist() == [1] * 14 + [0]
    for where in (-1, 15):
        with pytest.raises(AssertionError, match="outside of arrays"):
            broken("write_at", y, where)


def test_a_read_behind_the_last_array(broken: EmulatedFunctions) -> None:
    x = np.array([3, -4], np.int8)
    assert broken("read_at", x, 1) == -4
    with pytest.raises(ToolchainError, match="fault: exception"):
        broken("read_at", x, 2)
    assert broken("read_at", x, 0) == 3, "the image starts anew"


def test_a_call_that_does_not_return(broken: EmulatedFunctions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callable_c, "HANG_S", 0.5)
    with pytest.raises(ToolchainError, match="no answer"):
        broken("hang")
