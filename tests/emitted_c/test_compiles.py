# SPDX-License-Identifier: Apache-2.0
"""The emitted C is clean under every compiler, standard and build flavour, and exports its API alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from bundles import TASKS
from elftools.elf.elffile import ELFFile
from libraries import SMALL, STRICT, library

from dyncp.base.config.network import NetworkConfig
from dyncp.base.errors import ToolchainError
from dyncp.codegen.plan.stages import stages
from dyncp.firmware.building import toolchain
from dyncp.firmware.building.image import FREESTANDING

Site = Literal["output", "hidden"]

C_COMPILERS = {
    "gcc": ["gcc"],
    "clang": ["clang"],
    "cortex-m0": ["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb"],
    "cortex-m3": ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb"],
    "cortex-m4": ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"],
    "cortex-a7": ["arm-none-eabi-gcc", "-mcpu=cortex-a7", "-marm"],
    "cortex-r5": ["arm-none-eabi-gcc", "-mcpu=cortex-r5", "-marm"],
    "cortex-m55": ["arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"],
}
NM = {"gcc": "nm", "clang": "nm", "cortex-m55": "arm-none-eabi-nm"}
EXTRA = (
    "-Wshadow",
    "-Wsign-conversion",
    "-Wcast-qual",
    "-Wundef",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wswitch-default",
)
CPP_PROGRAM = """
#include "dyncp.h"
#include "dyncp_stages.h"

static dyncp_state state;
static_assert(sizeof(dyncp_state) == DYNCP_STATE_BYTES, "the caller's constant");

const char *enhance(int16_t *pcm);

const char *enhance(int16_t *pcm) {
    dyncp_signals signals;
    dyncp_status status = dyncp_init(&state);
    if (status == DYNCP_OK) {
        status = dyncp_process(&state, pcm, pcm, &signals);
    }
    return dyncp_status_text(status);
}
"""
FLAVOURS = {"plain": (), "trace": ("-DDYNCP_TRACE",), "marks": ("-DDYNCP_MARKS",)}


def marks_of(compiler: str) -> tuple[pytest.MarkDecorator, ...]:
    """Slow, but for the host's compilers."""
    return () if compiler in ("gcc", "clang") else (pytest.mark.slow,)


flavours = pytest.mark.parametrize(
    "flavour", [pytest.param(name, marks=() if name == "plain" else pytest.mark.slow) for name in FLAVOURS]
)


@pytest.fixture(scope="module", params=["output", "hidden"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site: Site = request.param
    pooling: Literal["window", "ema"] = "ema" if site == "hidden" else "window"
    config = SMALL.model_copy(update={"gate_site": site, "pooling": pooling})
    return library(tmp_path_factory.mktemp(site), config)[1]


@flavours
@pytest.mark.parametrize("compiler", [pytest.param(name, marks=marks_of(name)) for name in C_COMPILERS])
def test_no_warning_in_c(tmp_path: Path, folder: Path, compiler: str, flavour: str) -> None:
    for options in (["-O3"], ["-Os"], ["-O2", "-std=c11"]):
        flags = [*STRICT, *EXTRA, *FLAVOURS[flavour], *options]
        toolchain.run([*C_COMPILERS[compiler], *flags, "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.slow
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m3", "cortex-m4", "cortex-m55"])
def test_no_warning_of_clang_for_arm(tmp_path: Path, folder: Path, core: str) -> None:
    """Assembly that leaves gcc registers enough may leave another compiler too few, without optimization above all."""
    target = ["--target=arm-none-eabi", f"-mcpu={core}", "-mthumb", "-mfloat-abi=soft", "-nostdlibinc"]
    for optimize in ("-O0", "-O2", "-O3", "-Oz"):
        flags = [*STRICT, *EXTRA, *target, f"-I{FREESTANDING}", optimize]
        toolchain.run(["clang", *flags, "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.parametrize(
    "core",
    [pytest.param(name, marks=marks_of(name)) for name in ("gcc", "cortex-m0", "cortex-m3", "cortex-m4", "cortex-m55")],
)
@pytest.mark.parametrize("kernels", [(), ("-DDYNCP_DSP",), ("-DDYNCP_PORTABLE",)], ids=lambda flags: "".join(flags))
def test_no_cast_to_a_stricter_alignment(tmp_path: Path, folder: Path, core: str, kernels: tuple[str, ...]) -> None:
    flags = [*STRICT, "-O2", "-Wcast-align=strict", *kernels]
    toolchain.run([*C_COMPILERS[core], *flags, "-c", folder / "dyncp.c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_the_headers_for_programs_have_no_cast_of_c(tmp_path: Path, folder: Path, compiler: str) -> None:
    """What C++ programs include; compiled as C++, the source itself keeps the casts of C, for it is C."""
    program = tmp_path / "program.cpp"
    program.write_text(CPP_PROGRAM)
    flags = ["-std=c++11", *toolchain.WARNINGS, "-Wpedantic", "-Wold-style-cast", "-Wzero-as-null-pointer-constant"]
    toolchain.run([compiler, *flags, f"-I{folder}", "-c", program, "-o", tmp_path / "program.o"])


@flavours
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("standard", ["-std=c++11", "-std=c++17"])
def test_no_warning_in_cpp(tmp_path: Path, folder: Path, compiler: str, standard: str, flavour: str) -> None:
    flags = [standard, *toolchain.WARNINGS, "-Wpedantic", "-O2", *FLAVOURS[flavour]]
    source = ["-x", "c++", folder / "dyncp.c"]
    toolchain.run([compiler, *flags, *source, "-c", "-o", tmp_path / "dyncp.o"])


def compiled(target: Path, folder: Path, compiler: str, *flags: str) -> dict[str, str]:
    """Compile the library to the object file `target`; returns its symbols, name to kind."""
    toolchain.run([*C_COMPILERS[compiler], "-std=c99", *flags, "-c", folder / "dyncp.c", "-o", target])
    lines = toolchain.run([NM[compiler], target]).splitlines()
    return {name: kind for kind, name in (line.split()[-2:] for line in lines)}


@pytest.mark.parametrize("compiler", NM)
def test_only_the_api_is_external_and_nothing_is_writable(tmp_path: Path, folder: Path, compiler: str) -> None:
    symbols = compiled(tmp_path / "dyncp.o", folder, compiler, "-O2", "-fno-pic")
    exported = sorted(name for name, kind in symbols.items() if kind not in "trU")
    functions = ("follow", "gains", "get_settings", "init", "masks", "probe_words", "process", "set_bypass", "set_cap")
    functions += (
        "set_decision",
        "set_limit",
        "set_smoothing",
        "set_strength",
        "set_vad",
        "signal_words",
        "status_text",
        "step",
        "version",
    )
    assert exported == [f"dyncp_{name}" for name in functions]
    assert {symbols[name] for name in exported} == {"T"}
    needed = {name for name, kind in symbols.items() if kind == "U"}
    assert needed <= {"memset", "memcpy", "memmove"}


@pytest.mark.slow
@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("compiler", NM)
def test_marks_are_one_label_each(tmp_path: Path, folder: Path, compiler: str, optimize: str) -> None:
    symbols = compiled(tmp_path / "dyncp.o", folder, compiler, optimize, "-DDYNCP_MARKS")
    marks = sorted(name for name in symbols if "_mark_" in name)
    count = len(stages(SMALL, sum(task.outputs for task in TASKS)))
    assert marks == sorted(["dyncp_mark_begin", *(f"dyncp_mark_{i}" for i in range(count))])


@pytest.mark.slow
@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("compiler", NM)
def test_marks_leave_the_machine_code_alone(tmp_path: Path, folder: Path, compiler: str, optimize: str) -> None:
    code = []
    for flags in ([], ["-DDYNCP_MARKS"]):
        compiled(tmp_path / "dyncp.o", folder, compiler, optimize, *flags)
        with (tmp_path / "dyncp.o").open("rb") as stream:
            code.append(ELFFile(stream).get_section_by_name(".text").data())
    assert len(code[0]) > 0
    assert code[0] == code[1]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_another_version_of_the_runtime_is_refused(tmp_path: Path, compiler: str) -> None:
    _, made = library(tmp_path)
    header = made / "dyncp_runtime.h"
    header.write_text(header.read_text().replace("DYNCP_RUNTIME_VERSION 9", "DYNCP_RUNTIME_VERSION 8"))
    with pytest.raises(ToolchainError, match=r"dyncp\.c needs version 9 of dyncp_runtime\.h"):
        toolchain.run([compiler, "-std=c99", "-c", made / "dyncp.c", "-o", tmp_path / "dyncp.o"])


def test_what_is_inside_stays_inside(folder: Path) -> None:
    public = "".join((folder / name).read_text() for name in ("dyncp.h", "dyncp_signals.h"))
    inside = (folder / "dyncp_private.h").read_text() + (folder / "dyncp_probe_state.h").read_text()
    types = re.findall(r"^} (dyncp_\w+);", public, re.MULTILINE)
    names = ("decision", "follower", "settings", "signals", "state", "status")
    assert sorted(types) == [f"dyncp_{name}" for name in names]
    kept = {"dyncp_internals", "dyncp_scratch", "dyncp_block_d1", "dyncp_block_d2", "dyncp_probe_state"}
    assert set(re.findall(r"^} (dyncp_\w+);", inside, re.MULTILINE)) == kept


def test_another_size_of_the_state_is_refused(tmp_path: Path) -> None:
    _, made = library(tmp_path)
    header = made / "dyncp_private.h"
    header.write_text(header.read_text().replace("int32_t overlap[256]", "int32_t overlap[255]"))
    for language in ("c", "c++"):
        with pytest.raises(ToolchainError, match="dyncp_state_has_its_size"):
            toolchain.run(["gcc", "-x", language, "-c", made / "dyncp.c", "-o", tmp_path / "dyncp.o"])


@pytest.mark.parametrize("site", ["output", "hidden"])
def test_emitted_files_are_set_as_clang_format_would(tmp_path: Path, site: Site) -> None:
    _, made = library(tmp_path, NetworkConfig(gate_site=site))
    style = "--style={BasedOnStyle: LLVM, IndentWidth: 4, ColumnLimit: 100, AllowShortFunctionsOnASingleLine: None}"
    # The tables opt out of formatting, and parsing them takes long.
    files = [path for path in sorted(made.glob("*.[ch]")) if path.name != "dyncp_tables.h"]
    toolchain.run(["clang-format", style, "--dry-run", "--Werror", *files])
