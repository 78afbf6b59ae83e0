# SPDX-License-Identifier: Apache-2.0
"""The emitted C is clean under every compiler, standard and build flavour, and exports four functions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from libraries import SMALL, library

from dyncp.codegen.stages import stages
from dyncp.firmware import toolchain
from dyncp.firmware.host_build import STRICT
from dyncp.train.config import NetworkConfig
from dyncp.train.errors import ToolchainError

Site = Literal["output", "hidden"]

C_COMPILERS = {
    "gcc": ["gcc"],
    "clang": ["clang"],
    "cortex-m0": ["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"],
    "cortex-m55": ["arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"],
}
EXTRA = (
    "-Wshadow",
    "-Wsign-conversion",
    "-Wcast-qual",
    "-Wundef",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
)
FLAVOURS = {"plain": (), "trace": ("-DDYNCP_TRACE",), "marks": ("-DDYNCP_MARKS",)}


@pytest.fixture(scope="module", params=["output", "hidden"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site: Site = request.param
    pooling: Literal["window", "ema"] = "ema" if site == "hidden" else "window"
    config = SMALL.model_copy(update={"gate_site": site, "pooling": pooling})
    return library(tmp_path_factory.mktemp(site), config)[1]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("standard", ["-std=c99", "-std=c11"])
@pytest.mark.parametrize("compiler", C_COMPILERS)
def test_no_warning_in_c(tmp_path: Path, folder: Path, compiler: str, standard: str, flavour: str) -> None:
    for optimize in ("-O0", "-O2", "-O3", "-Os"):
        flags = [*STRICT, standard, *EXTRA, optimize, *FLAVOURS[flavour]]
        toolchain.run([*C_COMPILERS[compiler], *flags, "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("standard", ["-std=c++11", "-std=c++17"])
def test_no_warning_in_cpp(tmp_path: Path, folder: Path, compiler: str, standard: str, flavour: str) -> None:
    flags = [standard, *toolchain.WARNINGS, "-Wpedantic", "-O2", *FLAVOURS[flavour]]
    source = ["-x", "c++", folder / "dyncp.c"]
    toolchain.run([compiler, *flags, *source, "-c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.parametrize("compiler", ["gcc", "clang", "cortex-m55"])
def test_only_the_api_is_external_and_nothing_is_writable(
    tmp_path: Path, folder: Path, compiler: str
) -> None:
    target = tmp_path / "dyncp.o"
    command = C_COMPILERS[compiler]
    toolchain.run([*command, "-std=c99", "-O2", "-c", folder / "dyncp.c", "-o", target])
    symbols = [line.split()[-2:] for line in toolchain.run(["arm-none-eabi-nm", target]).splitlines()]
    exported = sorted(name for kind, name in symbols if kind == "T")
    assert exported == ["dyncp_init", "dyncp_masks", "dyncp_probe_words", "dyncp_process"]
    # Code, constants and the C library's block functions; no data, no other needs.
    assert {kind for kind, _ in symbols} <= set("TtrRdU" if compiler == "gcc" else "TtrRU")
    needed = {name for kind, name in symbols if kind == "U"}
    assert needed <= {
        "memset",
        "memcpy",
        "memmove",
        "_GLOBAL_OFFSET_TABLE_",
        "__aeabi_lmul",
        "__stack_chk_fail",
    }


@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("compiler", ["gcc", "clang", "cortex-m55"])
def test_marks_are_labels_one_each_that_add_no_instruction(
    tmp_path: Path, folder: Path, compiler: str, optimize: str
) -> None:
    target = tmp_path / "dyncp.o"
    command = [*C_COMPILERS[compiler], "-std=c99", optimize, "-DDYNCP_MARKS", "-c", folder / "dyncp.c"]
    toolchain.run([*command, "-o", target])
    names = [line.split()[-1] for line in toolchain.run(["arm-none-eabi-nm", target]).splitlines()]
    marks = sorted(name for name in names if "_mark_" in name)
    count = len(stages(SMALL, 5))
    assert marks == sorted(["dyncp_mark_begin", *(f"dyncp_mark_{i}" for i in range(count))])
    assert "APP" not in names


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_another_version_of_the_runtime_is_refused(tmp_path: Path, compiler: str) -> None:
    _, made = library(tmp_path)
    header = made / "dyncp_runtime.h"
    header.write_text(header.read_text().replace("DYNCP_RUNTIME_VERSION 1", "DYNCP_RUNTIME_VERSION 2"))
    with pytest.raises(ToolchainError, match=r"dyncp\.c needs version 1 of dyncp_runtime\.h"):
        toolchain.run([compiler, "-std=c99", "-c", made / "dyncp.c", "-o", tmp_path / "dyncp.o"])


def test_another_size_of_the_state_is_refused(tmp_path: Path) -> None:
    _, made = library(tmp_path)
    header = made / "dyncp.h"
    header.write_text(header.read_text().replace("int32_t overlap[256]", "int32_t overlap[255]"))
    for language in ("c", "c++"):
        with pytest.raises(ToolchainError, match="dyncp_state_has_its_size"):
            toolchain.run(["gcc", "-x", language, "-c", made / "dyncp.c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.parametrize("site", ["output", "hidden"])
def test_emitted_files_are_set_as_clang_format_would(tmp_path: Path, site: Site) -> None:
    _, made = library(tmp_path, NetworkConfig(gate_site=site))
    style = "--style={BasedOnStyle: LLVM, IndentWidth: 4, ColumnLimit: 100, AllowShortFunctionsOnASingleLine: None}"
    toolchain.run(["clang-format", style, "--dry-run", "--Werror", *sorted(made.glob("*.[ch]"))])
