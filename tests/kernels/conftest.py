# SPDX-License-Identifier: Apache-2.0
"""The runtime under test: compiled by both compilers for this machine, and for emulated cores in every way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from callable_c import EmulatedFunctions, Functions, HostFunctions
from libraries import RUNTIME, program

from dyncp.firmware.building.boards import select

HERE = Path(__file__).parent

HOST = ("gcc", "clang", "gcc -DDYNCP_DSP", "clang -DDYNCP_DSP")
"""The last two: what dyncp_dsp.h makes of its instructions in C."""
CORES = ("cortex-m3", "cortex-m4", "cortex-m55")
OPTIMIZE = ("-O0", "-O2", "-O3", "-Os", "-O3 -flto")

EMULATED = [
    pytest.param(f"{core} {optimize}", marks=() if optimize == "-O3" else pytest.mark.slow)
    for core in CORES
    for optimize in OPTIMIZE
]
EMULATED += [
    pytest.param(f"{core}-clang {optimize}", marks=pytest.mark.slow) for core in CORES for optimize in ("-O0", "-Os")
]


@pytest.fixture(scope="session", params=[*HOST, *EMULATED])
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """The functions of shim.c, wherever the parameter says."""
    place, *options = request.param.split()
    work = tmp_path_factory.mktemp("kernels")
    if request.param in HOST:
        flags = ("-O2", "-shared", "-fPIC", *options)
        yield HostFunctions(program(work / "shim.so", [HERE / "shim.c"], include=RUNTIME, compiler=place, flags=flags))
    else:
        (board,) = select([place])
        emulated = EmulatedFunctions(HERE / "shim.c", HERE / "serve.c", board, options, work)
        yield emulated
        emulated.close()
