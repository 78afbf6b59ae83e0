# SPDX-License-Identifier: Apache-2.0
"""Products of cores without 64-bit multiplication: made of halves, the same to the bit."""

from __future__ import annotations

from pathlib import Path

import pytest
from callable_c import Functions, HostFunctions
from hypothesis import given
from libraries import RUNTIME, program
from test_arithmetic import INT32, MULTIPLIER


@pytest.fixture(scope="module", params=["gcc", "clang"])
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Functions:
    source, work = Path(__file__).parent / "shim.c", tmp_path_factory.mktemp("halves")
    flags = ("-O2", "-shared", "-fPIC", "-DDYNCP_BY_HALVES")
    return HostFunctions(program(work / "shim.so", [source], include=RUNTIME, compiler=request.param, flags=flags))


@given(a=INT32, m=MULTIPLIER)
def test_rmul_rounds_half_up(kernel: Functions, a: int, m: int) -> None:
    assert kernel("rmul", a, m) == (a * m + 2**30) >> 31
