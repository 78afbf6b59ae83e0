# SPDX-License-Identifier: Apache-2.0
"""The runtime compiled by both compilers; a kernel is called as `kernel("name", array or number, …)`."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from libraries import RUNTIME, Kernel, program


@pytest.fixture(scope="session", params=["gcc", "clang"])
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    compiled = program(
        tmp_path_factory.mktemp("kernels") / f"{request.param}.so",
        [Path(__file__).parent / "shim.c"],
        include=[RUNTIME],
        compiler=request.param,
        flags=("-O2", "-shared", "-fPIC"),
    )
    shim = ctypes.CDLL(str(compiled))

    def call(name: str, *arguments: np.ndarray[tuple[int, ...], np.dtype[np.generic]] | int) -> int:
        converted = [
            ctypes.c_void_p(a.ctypes.data) if isinstance(a, np.ndarray) else ctypes.c_ssize_t(a) for a in arguments
        ]
        result: int = shim[name](*converted)
        return result

    return call
