# SPDX-License-Identifier: Apache-2.0
"""Each layout under its build system, or what of it can be had: docs/layouts.md says which, and what was tried beside.

What the samples call of systems that no package brings is declared in `declared`, so that they are compiled at least.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import kconfiglib
import numpy as np
import pytest
from libraries import SMALL, STRICT, difficult_audio, written_bundle
from packaging.licenses import canonicalize_license_expression
from ruamel.yaml import YAML

from dyncp.base.version import __version__
from dyncp.codegen.generate import generate
from dyncp.export.formats.bundle import Bundle
from dyncp.export.integers import reference
from dyncp.firmware.building import toolchain

HERE = Path(__file__).parent
M4 = ("-mcpu=cortex-m4", "-mthumb")
CROSS = f"""set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "{" ".join(M4)}")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
"""

pytestmark = pytest.mark.slow

Made = tuple[Bundle, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A bundle, and a folder in which `layout` makes one for each layout."""
    folder = tmp_path_factory.mktemp("layouts")
    return written_bundle(folder / "bundle", SMALL, seed=6), folder


def layout(made: Made, name: str, prefix: str = "dyncp") -> Path:
    generate(made[0], made[1] / name, prefix, layout=name)
    return made[1] / name


def run(*command: object, cwd: Path | None = None, **environment: str) -> str:
    """Standard output. Packages of tests bring commands along, beside their Python."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, **environment}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cmake(source: Path, build: Path, *options: str) -> None:
    run("cmake", "-S", source, "-B", build, *options)
    run("cmake", "--build", build)


def project(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(text)
    return folder


def machine(built: Path) -> str:
    header = toolchain.run(["arm-none-eabi-readelf", "-h", built])
    return set(re.findall(r"Machine: +(.+)", header)).pop()


def defined(built: Path) -> set[str]:
    listing = toolchain.run(["arm-none-eabi-nm", "-g", "--defined-only", built])
    return {line.split()[-1] for line in listing.splitlines() if len(line.split()) == 3}


def declarations(folder: Path, made: Path) -> Path:
    """`declared`, with the names that MicroPython finds in its modules."""
    shutil.copytree(HERE / "declared", folder)
    found = {name for source in made.glob("mod*.c") for name in re.findall(r"MP_QSTR_\w+", source.read_text())}
    if found:
        (folder / "py" / "qstr.h").write_text(f"enum {{ {', '.join(sorted(found))} }};\n")
    return folder


USER = """cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(dyncp {version} EXACT REQUIRED)
add_library(user SHARED user.c)
target_link_libraries(user PRIVATE dyncp::dyncp)
"""


def test_cmake_installs_a_package_that_another_project_finds(made: Made, tmp_path: Path) -> None:
    source, prefix = layout(made, "cmake"), tmp_path / "prefix"
    cmake(source, tmp_path / "build", f"-DCMAKE_INSTALL_PREFIX={prefix}", "-DCMAKE_POSITION_INDEPENDENT_CODE=ON")
    run("cmake", "--install", tmp_path / "build")
    user = project(tmp_path / "user", USER.format(version=__version__))
    shutil.copy(HERE / "user.c", user)
    cmake(user, tmp_path / "user-build", f"-DCMAKE_PREFIX_PATH={prefix}")
    pcm = difficult_audio()
    (tmp_path / "in.pcm").write_bytes(pcm.tobytes())
    program = tmp_path / "program"
    toolchain.run(["gcc", HERE / "main.c", tmp_path / "user-build" / "libuser.so", "-o", program])
    run(program, "in.pcm", "out.pcm", cwd=tmp_path, LD_LIBRARY_PATH=str(tmp_path / "user-build"))
    assert np.array_equal(np.fromfile(tmp_path / "out.pcm", "<i2"), reference.run(made[0], pcm).output)


def test_cmake_adds_a_folder_and_compiles_for_a_cortex_m4(made: Made, tmp_path: Path) -> None:
    text = "cmake_minimum_required(VERSION 3.16)\nproject(firmware C)\n"
    text += f'add_subdirectory("{layout(made, "cmake")}" dyncp)\n'
    text += "add_library(user STATIC user.c)\ntarget_link_libraries(user PRIVATE dyncp::dyncp)\n"
    source = project(tmp_path / "firmware", text)
    shutil.copy(HERE / "user.c", source)
    (tmp_path / "m4.cmake").write_text(CROSS)
    cmake(source, tmp_path / "build", f"-DCMAKE_TOOLCHAIN_FILE={tmp_path / 'm4.cmake'}")
    built = tmp_path / "build" / "dyncp" / "libdyncp.a"
    assert machine(built) == "ARM"
    assert "dyncp_process" in defined(built)


@pytest.mark.parametrize(
    ("name", "options", "built"),
    [
        ("zephyr", ["-DCONFIG_DYNCP=y", "-DCONFIG_DYNCP_SPEED=y"], "module/libdyncp.a"),
        ("esp-idf", [], "module/libcomponent.a"),
        ("micropython", [], "libfirmware.a"),
    ],
)
def test_the_cmake_files_of_other_systems_compile_for_a_cortex_m4(
    made: Made, tmp_path: Path, name: str, options: list[str], built: str
) -> None:
    source = project(tmp_path / "image", (HERE / f"{name}.cmake").read_text())
    declarations(source / "declared", layout(made, name))
    (tmp_path / "m4.cmake").write_text(CROSS)
    module = layout(made, name)
    cmake(source, tmp_path / "b", f"-DCMAKE_TOOLCHAIN_FILE={tmp_path / 'm4.cmake'}", f"-DMODULE={module}", *options)
    assert machine(tmp_path / "b" / built) == "ARM"
    assert "dyncp_process" in defined(tmp_path / "b" / built)


def test_zephyr_reads_module_options_and_sample(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = layout(made, "zephyr")
    described = YAML(typ="safe").load(module / "zephyr" / "module.yml")
    assert described["name"] == "dyncp"
    assert (module / described["build"]["cmake"] / "CMakeLists.txt").is_file()
    assert all((module / sample).is_dir() for sample in described["samples"])
    monkeypatch.chdir(module)
    options = kconfiglib.Kconfig(str(module / described["build"]["kconfig"]), warn_to_stderr=False)
    assert not options.warnings
    assert options.syms["DYNCP_SPEED"].str_value == "n"
    options.load_config(str(module / "samples" / "enhance" / "prj.conf"), replace=False)
    assert options.syms["DYNCP"].str_value == "y"
    assert options.syms["DYNCP_SPEED"].str_value == "y"
    sample = YAML(typ="safe").load(module / "samples" / "enhance" / "sample.yaml")
    (test,) = sample["tests"].values()
    assert test["harness"] == "console"


SAMPLES = {
    "zephyr": "samples/enhance/src/main.c",
    "esp-idf": "examples/enhance/main/main.c",
    "arduino": "examples/Enhance/Enhance.ino",
    "platformio": "examples/enhance/main.cpp",
    "micropython": "moddyncp.c",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_compile(made: Made, tmp_path: Path, name: str) -> None:
    folder = layout(made, name)
    sample = folder / SAMPLES[name]
    # As Arduino does with a sketch.
    cpp = sample.suffix != ".c"
    language = ["-x", "c++", "-std=c++11", "-include", "Arduino.h"] if cpp else ["-std=c11"]
    compiler = "arm-none-eabi-g++" if cpp else "arm-none-eabi-gcc"
    includes = (f"-I{declarations(tmp_path / 'declared', folder)}", f"-I{folder / 'src'}")
    toolchain.run([compiler, *M4, *language, *toolchain.WARNINGS, *includes, "-c", sample, "-o", tmp_path / "sample.o"])


def test_micropythons_makefile_names_the_files(made: Made, tmp_path: Path) -> None:
    module = layout(made, "micropython")
    names = ("SRC_USERMOD_C", "SRC_USERMOD_LIB_C", "CFLAGS_USERMOD")
    show = "".join(f"\t@echo $({name})\n" for name in names)
    (tmp_path / "Makefile").write_text(f"USERMOD_DIR := {module}\ninclude {module}/micropython.mk\nall:\n{show}")
    sources, library, flags = run("make", "-s", cwd=tmp_path).splitlines()
    assert Path(sources).is_file()
    words = [word for word in flags.split() if word.startswith("-")]
    toolchain.run(["gcc", *STRICT, *words, "-c", library, "-o", tmp_path / "library.o"])


def test_platformio_packs_both_of_its_manifests(made: Made, tmp_path: Path) -> None:
    for name, manifest in (("platformio", "library.json"), ("arduino", "library.properties")):
        folder = shutil.copytree(layout(made, name), tmp_path / name)
        if name == "platformio":
            # PlatformIO compares it with a list that it downloads.
            described = json.loads((folder / manifest).read_text())
            assert canonicalize_license_expression(described["license"]) == described.pop("license")
            (folder / manifest).write_text(json.dumps(described))
        settings = {"PLATFORMIO_CORE_DIR": str(tmp_path / "core"), "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no"}
        run("pio", "pkg", "pack", "-o", tmp_path / f"{name}.tar.gz", folder, **settings)
        with tarfile.open(tmp_path / f"{name}.tar.gz") as packed:
            assert {manifest, "src/dyncp.c", "src/dyncp.h", "src/dyncp_tables.h"} <= set(packed.getnames())


def test_the_idf_component_manager_packs_the_component(made: Made, tmp_path: Path) -> None:
    source = layout(made, "esp-idf")
    run("compote", "component", "pack", "--project-dir", source, "--name", "dyncp", "--dest-dir", tmp_path)
    with tarfile.open(tmp_path / f"dyncp_{__version__}.tgz") as packed:
        assert {"./idf_component.yml", "./CMakeLists.txt", "./src/dyncp.c"} <= set(packed.getnames())


def test_the_cmsis_pack_holds_what_it_describes(made: Made) -> None:
    folder = layout(made, "cmsis-pack")
    described = ElementTree.parse(folder / "dyncp.dyncp.pdsc").getroot()
    name = ".".join([described.findtext("vendor", ""), described.findtext("name", "")])
    (release,) = described.iter("release")
    with zipfile.ZipFile(folder / f"{name}.{release.get('version')}.pack") as packed:
        held = {entry: packed.read(entry) for entry in packed.namelist()}
    assert held[f"{name}.pdsc"] == (folder / f"{name}.pdsc").read_bytes()
    files = {entry.get("category"): entry.get("name", "") for entry in described.iter("file")}
    assert files["source"] in held
    assert files["header"] in held
    assert files["include"] == "src/"
    assert all(held[entry] == (folder / entry).read_bytes() for entry in held)
    conditions = {condition.get("id") for condition in described.iter("condition")}
    assert {component.get("condition") for component in described.iter("component")} <= conditions


def test_cargo_builds_the_crate_and_its_example_enhances(made: Made, tmp_path: Path) -> None:
    """With the crate `cc` of Debian, so that nothing is downloaded."""
    source = shutil.copytree(layout(made, "rust"), tmp_path / "crate")
    (tmp_path / ".cargo").mkdir()
    registry = '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "/usr/share/cargo/registry"\n'
    (tmp_path / ".cargo" / "config.toml").write_text(registry)
    run("cargo", "build", "--offline", "--example", "enhance", cwd=source, RUSTFLAGS="-Dwarnings")
    pcm = difficult_audio()
    command = [source / "target" / "debug" / "examples" / "enhance"]
    done = subprocess.run(command, input=pcm.tobytes(), capture_output=True, check=True, timeout=120)
    assert np.array_equal(np.frombuffer(done.stdout, "<i2"), reference.run(made[0], pcm).output)


def test_rusts_signals_are_those_of_c(made: Made) -> None:
    crate = layout(made, "rust")
    struct = re.search(r"pub struct Signals \{\n(.*?)\n\}", (crate / "src" / "lib.rs").read_text(), re.DOTALL)
    header = (crate / "csrc" / "dyncp_signals.h").read_text()
    declared = re.search(r"typedef struct \{\n(.*?)\n\} dyncp_signals;", header, re.DOTALL)
    assert struct
    assert declared
    rust = re.findall(r"^    pub (?:r#)?(\w+):", struct[1], re.MULTILINE)
    assert len(rust) > 4
    assert rust == re.findall(r"^    u?int\d+_t (\w+)", declared[1], re.MULTILINE)
