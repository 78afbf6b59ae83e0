# SPDX-License-Identifier: Apache-2.0
"""The programs that Eva reads are C that fits the runtime of today: `make prove` itself takes minutes."""

from __future__ import annotations

from pathlib import Path

import pytest
from libraries import library

from dyncp.bench.assurance.prove import HELD, NETWORKS
from dyncp.firmware.building import toolchain

APP = Path(__file__).parents[2] / "firmware/app"
BUILTIN = "int Frama_C_interval(int low, int high);\nvoid Frama_C_make_unknown(char *first, unsigned long bytes);\n"


@pytest.mark.parametrize(
    ("program", "network"), [("prove.c", "kernels"), *(("prove_frame.c", name) for name in NETWORKS)]
)
def test_they_compile(program: str, network: str, tmp_path: Path) -> None:
    _, generated = library(tmp_path, HELD if network == "kernels" else NETWORKS[network])
    (tmp_path / "__fc_builtin.h").write_text(BUILTIN)
    words = ["gcc", "-std=c99", "-fsyntax-only", "-DDYNCP_PORTABLE", "-Werror=implicit-function-declaration"]
    toolchain.run([*words, f"-I{generated}", f"-I{tmp_path}", str(APP / program)])
